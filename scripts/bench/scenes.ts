// The scenes: what is put under load, and how what came of it is counted.
import { waitFor } from "@thikaa/testkit";
import type { BenchHouse, BenchStore, Counts } from "./house.ts";
import { readCpu, spent } from "./cpu.ts";
import { runLoad } from "./load.ts";
import type { LoadRequest } from "./load.ts";
import { megabytes, milliseconds, perSecond } from "./report.ts";
import type { Line } from "./report.ts";
import { measureMemory } from "./memory.ts";
import { inTurns } from "./rounds.ts";
import type { Measured } from "./rounds.ts";

export interface Rounds {
  readonly count: number;
  readonly seconds: number;
}

const inFlight = 64;
const recipients = 5_000;
const manyStores = 100;
const drainMs = 120_000;

/** One measuring of a house; `run` gives the lines of the page. */
export class Bench {
  readonly #house: BenchHouse;
  readonly #rounds: Rounds;
  #update = 0;

  constructor(house: BenchHouse, rounds: Rounds) {
    this.#house = house;
    this.#rounds = rounds;
  }

  /** Gateways alone: who would deliver is stopped. */
  async accepting(): Promise<Line[]> {
    const { gateways, echo } = this.#house;
    const stores = await this.#makeStores();
    const [hot] = stores;
    if (hot === undefined) throw new Error("There is no store.");
    await this.#scale(0);
    const sends = (origins: readonly string[], to: readonly BenchStore[]) => () =>
      this.#fresh(() => this.#load(origins, (number) => sendRequest(to, number)));
    const of = await inTurns(this.#rounds.count, {
      echo: () => this.#load([echo], () => ({ path: "/", headers: "", body: '{"ok":true}' })),
      accepted: sends(gateways.slice(0, 1), stores),
      "accepted hot": sends(gateways.slice(0, 1), [hot]),
      "2 gateways": sends(gateways.slice(0, 2), stores),
      "4 gateways": sends(gateways.slice(0, 4), stores),
    });
    const [floor, accepted] = [of("echo"), of("accepted")];
    return [
      line("Echo", floor),
      line("Accepted, 100 stores", accepted, { to: "echo", floor, target: "≥ 0.4" }),
      {
        what: "Accepted, p99",
        value: milliseconds(accepted.p99 ?? 0),
        ratio: (accepted.p99 ?? 0) / (floor.p99 ?? 1),
        floor: "echo's p99",
        target: "≤ 4",
      },
      line("Accepted, one hot store", of("accepted hot"), {
        to: "100 stores",
        floor: accepted,
        target: "≥ 0.8",
      }),
      line("Accepted, 2 gateways", of("2 gateways"), { to: "1 gateway", floor: accepted }),
      line("Accepted, 4 gateways", of("4 gateways"), { to: "1 gateway", floor: accepted }),
    ];
  }

  /** The whole way out, counted at the provider. */
  async delivering(): Promise<Line[]> {
    const { floor: floorUrl, commits, gateways } = this.#house;
    const store = await this.#house.makeStore("delivered", { bots: 4, webhook: false });
    await this.#scale(1);
    const of = await inTurns(this.#rounds.count, {
      "durable floor": () =>
        this.#through("sent", [floorUrl], (number) => ({
          ...sendRequest([store], number),
          path: "/",
        })),
      "same commits": () =>
        this.#through("sent", [commits], (number) => ({
          ...sendRequest([store], number),
          path: "/",
        })),
      delivered: () =>
        this.#through("sent", gateways.slice(0, 1), (number) => sendRequest([store], number)),
    });
    const [leanest, floor] = [of("durable floor"), of("same commits")];
    return [
      line("Leanest durable floor", leanest),
      line("Durable floor", floor, { to: "leanest durable floor", floor: leanest }),
      line("Delivered", of("delivered"), { to: "durable floor", floor, target: "≥ 0.6" }),
      line("Delivered", of("delivered"), { to: "leanest durable floor", floor: leanest }),
    ];
  }

  /** The whole way in, counted at the store's webhook. */
  async receiving(): Promise<Line[]> {
    const { proxy, services } = this.#house;
    const store = await this.#house.makeStore("received", { bots: 4, webhook: true });
    await this.#scale(1);
    const secrets = await waitFor(
      async () => {
        const told = (await this.#house.counts()).secrets;
        return store.connections.every(({ token }) => told[token] !== undefined) && told;
      },
      { what: "the bots' webhooks to be set", deadlineMs: 30_000 },
    );
    const doors = services.of("channel").map(({ url }) => url);
    const of = await inTurns(this.#rounds.count, {
      "bare proxy": () => this.#through("received", [proxy], () => this.#updateOf(store, secrets)),
      inbound: () => this.#through("received", doors, () => this.#updateOf(store, secrets)),
    });
    const floor = of("bare proxy");
    return [
      line("Bare proxy", floor),
      line("Inbound to signed webhook", of("inbound"), { to: "bare proxy", floor, target: "" }),
    ];
  }

  async #makeStores(): Promise<BenchStore[]> {
    const stores: BenchStore[] = [];
    for (let made = 0; made < manyStores; made += 1)
      stores.push(await this.#house.makeStore(`bench-${made}`, { bots: 1, webhook: false }));
    return stores;
  }

  async #scale(count: number): Promise<void> {
    for (const role of ["channel", "inbox", "webhooks"] as const)
      await this.#house.services.scale(role, count);
  }

  /** Begins with empty queues: what an earlier round left is not this one's. */
  async #fresh(measure: () => Promise<Measured>): Promise<Measured> {
    await this.#house.database.query({ text: "TRUNCATE send_queue, events_unnumbered" });
    return measure();
  }

  #load(origins: readonly string[], request: (number: number) => LoadRequest): Promise<Measured> {
    return this.#costing(async () => {
      const result = await runLoad({ origins, inFlight, seconds: this.#rounds.seconds, request });
      const { refused, answered: messages, perSecond: rate, p99 } = result;
      if (refused > 0) throw new Error(`${refused} requests were not answered by 200.`);
      return { perSecond: rate, p99, messages };
    });
  }

  /** With what each part of the house spent on a message. */
  async #costing(measure: () => Promise<Measured & { messages: number }>): Promise<Measured> {
    const before = await readCpu(this.#house.services);
    const { messages, ...measured } = await measure();
    const cpu = [...spent(before, await readCpu(this.#house.services))];
    return { ...measured, cpu: new Map(cpu.map(([part, time]) => [part, time / messages])) };
  }

  /** The load, and then the wait until all of it has come out at the other end; counted there. */
  async #through(
    where: Exclude<keyof Counts, "secrets">,
    origins: readonly string[],
    request: (number: number) => LoadRequest,
  ): Promise<Measured> {
    const { seconds } = this.#rounds;
    const before = (await this.#house.counts())[where];
    return this.#costing(async () => {
      const begunAt = performance.now();
      const { answered, refused } = await runLoad({ origins, inFlight, seconds, request });
      if (refused > 0) throw new Error(`${refused} requests were not answered by 200.`);
      await waitFor(async () => (await this.#house.counts())[where] - before >= answered, {
        what: "everything to come out",
        deadlineMs: drainMs,
      });
      const rate = answered / ((performance.now() - begunAt) / 1_000);
      return { perSecond: rate, p99: null, messages: answered };
    });
  }

  #updateOf(store: BenchStore, secrets: Readonly<Record<string, string>>): LoadRequest {
    const number = ++this.#update;
    const connection = store.connections[number % store.connections.length];
    const id = 700_000_000 + (number % recipients);
    const person = { id, first_name: "Zainab" };
    const message = {
      message_id: number,
      date: 1_700_000_000,
      chat: { ...person, type: "private" },
      from: { ...person, is_bot: false },
      text: `مرحبا ${number}`,
    };
    return {
      path: `/hooks/tg/${connection?.id ?? ""}`,
      headers: `X-Telegram-Bot-Api-Secret-Token: ${secrets[connection?.token ?? ""] ?? ""}\r\n`,
      body: JSON.stringify({ update_id: number, message }),
    };
  }
}

/** Needs no house of its own: both processes are started here. */
export async function memory(rounds: Rounds): Promise<Line[]> {
  const { standalone, bare } = await measureMemory(rounds.count);
  return [
    { what: "Bare process, memory", value: megabytes(bare), ratio: null, floor: "", target: "" },
    {
      what: "Standalone, memory",
      value: megabytes(standalone),
      ratio: standalone / bare,
      floor: "bare process",
      target: "≤ 2",
    },
  ];
}

function sendRequest(stores: readonly BenchStore[], number: number): LoadRequest {
  const store = stores[number % stores.length];
  const connection = store?.connections[number % store.connections.length];
  const message = {
    channel: "tg",
    to: String(700_000_000 + (number % recipients)),
    message: `مرحبا ${number}`,
    connection_id: connection?.id,
  };
  return {
    path: `/${store?.slug ?? ""}/api/messaging/?action=send`,
    headers: `Authorization: Bearer ${store?.apiKey ?? ""}\r\n`,
    body: JSON.stringify(message),
  };
}

function line(
  what: string,
  measured: Measured,
  against?: { to: string; floor: Measured; target?: string },
): Line {
  return {
    what,
    value: perSecond(measured.perSecond),
    ratio: against === undefined ? null : measured.perSecond / against.floor.perSecond,
    floor: against?.to ?? "",
    target: against?.target ?? "",
  };
}
