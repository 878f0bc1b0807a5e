// WhatsApp by QR under load: what an idle session costs, and how fast sessions send and receive, beside bare Baileys.
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { readCpu, spent, timeOf } from "../cpu.ts";
import type { Line } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Measured } from "../rounds.ts";
import type { Rounds } from "../scenes.ts";
import type { Child } from "./child.ts";
import { PhoneHouse } from "./house.ts";
import type { LinkedPhone } from "./house.ts";
import { inFlight } from "./in-flight.ts";
import { memoryUse } from "./inspector.ts";
import { idleLines, rateLines, told } from "./lines.ts";
import type { Idle } from "./lines.ts";

export interface Sizes {
  /** How many sessions are idle when memory is read, one after the other. */
  readonly idle: readonly number[];
  /** Through how many sessions at once is sent. */
  readonly many: number;
  /** How long sessions are left alone before memory is read, in seconds. */
  readonly settle: number;
}

export const usualSizes: Sizes = { idle: [25, 100], many: 50, settle: 30 };

const customerCount = 16;
/** About what comes through in a second: it makes the work of a round. */
const expected = { one: 80, many: 120, inbound: 120 };
const drainMs = 300_000;

/** Measures all of it in a house of its own. */
export async function whatsapp(rounds: Rounds, sizes: Sizes = usualSizes): Promise<Line[]> {
  const house = await PhoneHouse.open();
  try {
    return await new PhoneBench(house, { rounds, sizes }).run();
  } finally {
    await house.close();
  }
}

class PhoneBench {
  readonly #house: PhoneHouse;
  readonly #rounds: Rounds;
  readonly #sizes: Sizes;
  readonly #customers = numbers(9_647_700_000_000, customerCount);
  readonly #most: number;
  #connections: readonly LinkedPhone[] = [];
  #bare: Child;

  constructor(house: PhoneHouse, { rounds, sizes }: { rounds: Rounds; sizes: Sizes }) {
    this.#house = house;
    this.#rounds = rounds;
    this.#sizes = sizes;
    this.#most = Math.max(...sizes.idle, sizes.many);
    this.#bare = house.startBare();
  }

  async run(): Promise<Line[]> {
    const linking = await timed(() => this.#linkAll());
    say(`${this.#most} phones of ours and as many bare ones linked in ${linking.toFixed(0)} s`);
    try {
      return [...(await this.#idle()), ...(await this.#sending()), ...(await this.#receiving())];
    } finally {
      await this.#bare.stop();
    }
  }

  /** Phones for the house, and as many for bare clients; both are closed again when they are linked. */
  async #linkAll(): Promise<void> {
    const { standIn } = this.#house;
    const [own, bare] = [
      numbers(9_647_800_000_000, this.#most),
      numbers(9_647_900_000_000, this.#most),
    ];
    const add = (people: readonly string[], areCustomers: boolean) =>
      standIn.ask({ ask: "people", numbers: people, areCustomers }, z.unknown());
    await add(this.#customers, true);
    await add([...own, ...bare], false);
    this.#connections = await this.#house.link(own);
    await this.#bare.ask({ ask: "pair", phones: bare }, z.unknown());
    const saved = await this.#bare.ask({ ask: "save" }, z.unknown());
    await this.#bare.stop();
    this.#bare = this.#house.startBare();
    await this.#bare.ask({ ask: "restore", saved }, z.unknown());
    await this.#house.switch(this.#connections, "off");
    await this.#house.restart();
  }

  async #idle(): Promise<Line[]> {
    const [ours, bare]: [Idle[], Idle[]] = [[], []];
    for (const sessions of [0, ...this.#sizes.idle]) {
      const from = ours.at(-1)?.sessions ?? 0;
      const opening = await timed(() =>
        this.#house.switch(this.#connections.slice(from, sessions), "on"),
      );
      const bareOpening = await timed(() =>
        this.#bare.ask({ ask: "open", count: sessions - from }, z.unknown()),
      );
      const [cpu = 0, bareCpu = 0] = await this.#settle([this.#house.pid, this.#bare.pid]);
      const inspector = await this.#house.inspect();
      ours.push({ sessions, cpu, opening, memory: await inspector.memory() });
      inspector.close();
      const memory = await this.#bare.ask({ ask: "memory" }, memoryUse);
      bare.push({ sessions, cpu: bareCpu, opening: bareOpening, memory });
      say(told("ours", ours));
      say(told("bare", bare));
    }
    return idleLines(ours, bare);
  }

  /** Leaves processes alone, and gives the share of a core that each took meanwhile, in the second half. */
  async #settle(pids: readonly number[]): Promise<number[]> {
    const halfMs = this.#sizes.settle * 500;
    await pause(halfMs);
    const before = await Promise.all(pids.map(timeOf));
    await pause(halfMs);
    const after = await Promise.all(pids.map(timeOf));
    return after.map((time, index) => (time - (before[index] ?? 0)) / (halfMs * 1_000));
  }

  async #sending(): Promise<Line[]> {
    const { many } = this.#sizes;
    const of = await inTurns(this.#rounds.count, {
      "bare, 1 session": () => this.#sendBare(1, expected.one),
      "1 session": () => this.#send(1, expected.one),
      [`bare, ${many} sessions`]: () => this.#sendBare(many, expected.many),
      [`${many} sessions`]: () => this.#send(many, expected.many),
    });
    return [1, many].flatMap((count) => {
      const name = count === 1 ? "1 session" : `${count} sessions`;
      return rateLines(`sent through ${name}`, of(name), of(`bare, ${name}`));
    });
  }

  async #receiving(): Promise<Line[]> {
    const of = await inTurns(this.#rounds.count, {
      "bare inbound": () => this.#receiveBare(),
      inbound: () => this.#receive(),
    });
    return rateLines("inbound through 1 session", of("inbound"), of("bare inbound"));
  }

  #send(sessions: number, rate: number): Promise<Measured> {
    const connections = this.#connections.slice(0, sessions);
    return this.#delivering(rate, (count) =>
      inFlight(count, 16, (n) => {
        const connection = connections[n % sessions];
        const to = this.#customers[Math.floor(n / sessions) % this.#recipients(sessions)];
        if (connection === undefined || to === undefined) throw new Error("Nobody to write to.");
        return this.#house.send(connection, to, `مرحبا ${n}`);
      }),
    );
  }

  #sendBare(sessions: number, rate: number): Promise<Measured> {
    const to = this.#customers.slice(0, this.#recipients(sessions));
    return this.#delivering(rate, (count) =>
      this.#bare.ask({ ask: "send", clients: sessions, to, count }, z.unknown()),
    );
  }

  /** Fewer to each of many, so that the first round, which is not counted, has written to everybody. */
  #recipients(sessions: number): number {
    return sessions === 1 ? customerCount : 4;
  }

  /** From the first message to the last that a customer's phone has read. */
  async #delivering(rate: number, send: (count: number) => Promise<unknown>): Promise<Measured> {
    const count = rate * this.#rounds.seconds;
    const before = await this.#house.standIn.ask({ ask: "delivered" }, z.number());
    return this.#costing(count, async () => {
      const all = this.#house.standIn.ask({ ask: "until", delivered: before + count }, z.unknown());
      await send(count);
      await all;
    });
  }

  #receive(): Promise<Measured> {
    const count = expected.inbound * this.#rounds.seconds;
    return this.#costing(count, async () => {
      const before = await this.#house.webhooks();
      await this.#say(this.#connections[0]?.phone ?? "", count);
      const end = performance.now() + drainMs;
      while ((await this.#house.webhooks()) < before + count) {
        if (performance.now() > end) throw new Error("Not every webhook came.");
        await pause(20);
      }
    });
  }

  #receiveBare(): Promise<Measured> {
    const count = expected.inbound * this.#rounds.seconds;
    return this.#costing(count, async () => {
      const all = this.#bare.ask({ ask: "receive", count }, z.unknown());
      await this.#say(await this.#bare.ask({ ask: "first phone" }, z.string()), count);
      await all;
    });
  }

  async #say(to: string, count: number): Promise<void> {
    await this.#house.standIn.ask({ ask: "say", from: this.#customers, to, count }, z.unknown());
  }

  /** With the processor time that each part spent on a message. */
  async #costing(count: number, work: () => Promise<void>): Promise<Measured> {
    const before = await this.#cpu();
    const begunAt = performance.now();
    await work();
    const rate = count / ((performance.now() - begunAt) / 1_000);
    const cpu = [...spent(before, await this.#cpu())];
    return {
      perSecond: rate,
      p99: null,
      cpu: new Map(cpu.map(([part, time]) => [part, time / count])),
    };
  }

  async #cpu(): Promise<Map<string, number>> {
    return new Map([
      ...(await readCpu(this.#house.services)),
      ["WhatsApp app", await timeOf(this.#house.pid)],
      ["bare clients", await timeOf(this.#bare.pid)],
      ["stand-in", await timeOf(this.#house.standIn.pid)],
    ]);
  }
}

function numbers(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => String(from + n));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return (performance.now() - begunAt) / 1_000;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
