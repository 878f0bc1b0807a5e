// Linked phones outlive the processes that host them: killed under traffic, killed in the middle of a write, replaced one after the other.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { AppProcess } from "../../services/app-process.ts";
import type { Stage } from "../ground.ts";
import type { PhonesHouse } from "../phones-house.ts";
import { pick } from "../random.ts";

/** After kill -9 a lease has to run out first. */
const takenOverWithinMs = 20_000;
/** What a kill closes is closed by the operating system, at once; what is closed later moves to another process. */
const closedByKillMs = 1_000;
const strikeWithinMs = 60_000;
/** What is tried again goes out after the second backoff at the latest, and a receipt that came before its send was known is parked for a minute. */
const restWithinMs = 90_000;
/** A message on each lane in so many milliseconds for each lane: far below capacity, with something always on its way. */
const loadEveryMs = 50;

export function phoneScenes(stage: Stage<PhonesHouse>): void {
  rollingRestart(stage);
  if (stage.ground.settings.full)
    killed(stage, {
      name: "host-killed",
      when: "under traffic",
      kill: async ({ random }, { host }) => {
        await pause(random() * 1_000);
        host.signal("SIGKILL");
      },
    });
  killed(stage, {
    name: "host-killed-writing",
    when: "between the decryption of messages and their commit",
    kill: (_ground, { house, host }) => killWriting(house, host),
  });
}

interface Kill {
  readonly name: string;
  readonly when: string;
  readonly kill: (
    ground: Stage<PhonesHouse>["ground"],
    at: { house: PhonesHouse; host: AppProcess },
  ) => Promise<void>;
}

function killed(stage: Stage<PhonesHouse>, { name, when, kill }: Kill): void {
  const { ground } = stage;
  const { settings } = ground;

  test(
    `kill -9 of a process ${when}: its phones are connected elsewhere within 20 s, nothing is lost, sent twice, unreadable or open twice`,
    async () => {
      const { house } = stage;
      const takeOvers: TakeOver[] = [];
      const { duplicates, flagged } = await stage.play({
        name,
        restMs: restMsOf(house),
        restWithinMs,
        notes: () => ({
          phones: house.phones.length,
          "taken over": sum(takeOvers.map(({ phones }) => phones)),
          "take-over ms": Math.max(...takeOvers.map(({ tookMs }) => tookMs)),
          "first back ms": Math.max(...takeOvers.map(({ firstMs }) => firstMs)),
          "last back ms": Math.max(...takeOvers.map(({ lastMs }) => lastMs)),
          "longest move ms": Math.max(...takeOvers.map(({ longestMoveMs }) => longestMoveMs)),
          "same id again": repeats(house, name),
        }),
        strike: async () => {
          for (let count = 0; count < settings.hostKills; count += 1) {
            if (count > 0) await untilCalm(house);
            const host = pick(ground.random, house.services.of("whatsapp"));
            takeOvers.push(await takeOver(house, () => kill(ground, { house, host })));
          }
        },
      });
      expect([duplicates, flagged]).toEqual([0, 0]);
      for (const { phones, tookMs, longestMoveMs } of takeOvers) {
        expect(phones).toBeGreaterThan(0);
        expect(tookMs).toBeLessThan(takenOverWithinMs);
        expect(longestMoveMs).toBeLessThan(settings.phonesWithinMs);
      }
    },
    settings.sceneMs,
  );
}

interface TakeOver {
  /** Phones that the process had. */
  readonly phones: number;
  /** From the kill until the last of them was connected again, at the server and as the store is told. */
  readonly tookMs: number;
  /** Until the first and the last of them were connected at the server. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** How long a phone was away at most that went from one living process to another meanwhile. */
  readonly longestMoveMs: number;
}

async function takeOver(house: PhonesHouse, kill: () => Promise<void>): Promise<TakeOver> {
  const mark = markOf(house);
  await kill();
  const killedAt = Date.now();
  await waitFor(() => awaysSince(house, mark).length > 0, { what: "phones to lose their process" });
  await untilConnected(house);
  await untilSaidConnected(house);
  const tookMs = Date.now() - killedAt;
  const aways = awaysSince(house, mark);
  const moves = aways.filter(({ from }) => from > killedAt + closedByKillMs);
  const back = aways.filter((away) => !moves.includes(away)).map(({ until }) => until);
  return {
    phones: back.length,
    tookMs,
    firstMs: Math.min(...back) - killedAt,
    lastMs: Math.max(...back) - killedAt,
    longestMoveMs: Math.max(0, ...moves.map(({ from, until }) => until - from)),
  };
}

/** Holds up every write of what the processes keep, until messages are decrypted and wait to be committed; then kills, then lets go. */
async function killWriting(house: PhonesHouse, host: AppProcess): Promise<void> {
  // So many that the process that is struck has some of them; so few that no write waits for longer than it may.
  const enough = Math.min(house.phones.length, 16);
  const isWaiting = (phone: string) => unreceipted(house, phone);
  await house.database.transaction(async (transaction) => {
    await transaction.query({ text: "LOCK TABLE connector_state IN SHARE MODE" });
    await waitFor(
      async () =>
        house.phones.filter(isWaiting).length >= enough && (await heldUp(house)) >= enough,
      { what: `${enough} phones to wait for their commit`, deadlineMs: 15_000 },
    );
    host.signal("SIGKILL");
    const isCut = (phone: string) => !isConnected(house)(phone) && isWaiting(phone);
    await waitFor(() => house.phones.some(isCut), {
      what: "a phone to be cut off whose messages are not committed",
    });
  });
}

/** Writes that wait for the lock. */
async function heldUp({ database }: PhonesHouse): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO connector_state%'`,
  });
  return rows[0]?.count ?? 0;
}

function rollingRestart(stage: Stage<PhonesHouse>): void {
  const { settings } = stage.ground;

  test(
    "processes replaced one after the other under traffic: their phones are connected elsewhere within seconds each, nothing is lost, sent twice, unreadable or open twice",
    async () => {
      const { house } = stage;
      const name = "hosts-replaced";
      const replaced: Replaced[] = [];
      let awayMs = 0;
      const { duplicates, flagged } = await stage.play({
        name,
        restMs: restMsOf(house),
        restWithinMs,
        notes: () => ({
          phones: house.phones.length,
          "let go ms": Math.max(...replaced.map(({ letGoMs }) => letGoMs)),
          "hand-over ms": Math.max(...replaced.map(({ tookMs }) => tookMs)),
          "longest away ms": awayMs,
          "same id again": repeats(house, name),
        }),
        strike: async () => {
          const mark = markOf(house);
          for (const host of house.services.of("whatsapp"))
            replaced.push(await replace(house, host));
          await untilCalm(house);
          awayMs = Math.max(...awaysSince(house, mark).map(({ from, until }) => until - from));
        },
      });
      expect([duplicates, flagged]).toEqual([0, 0]);
      for (const { tookMs } of replaced) expect(tookMs).toBeLessThan(settings.phonesWithinMs);
      expect(awayMs).toBeLessThan(settings.phonesWithinMs);
    },
    settings.sceneMs,
  );
}

/** Milliseconds from the signal to end until a process had let go of its last phone, and until all were connected elsewhere. */
interface Replaced {
  readonly letGoMs: number;
  readonly tookMs: number;
}

/** Ends a process in order, and waits for its phones to be connected elsewhere and for the one in its place. */
async function replace(house: PhonesHouse, host: AppProcess): Promise<Replaced> {
  const mark = markOf(house);
  const { pid } = host;
  const askedAt = Date.now();
  host.signal("SIGTERM");
  await waitFor(() => host.pid !== pid, {
    what: `${host.name} to end`,
    deadlineMs: strikeWithinMs,
  });
  const endedAt = Date.now();
  await untilConnected(house);
  const own = awaysSince(house, mark).filter(({ from }) => from <= endedAt);
  await host.untilReady(strikeWithinMs);
  return {
    letGoMs: Math.max(...own.map(({ from }) => from)) - askedAt,
    tookMs: Math.max(...own.map(({ until }) => until)) - askedAt,
  };
}

interface Away {
  readonly phone: string;
  readonly from: number;
  /** Now, as long as it is not connected again. */
  readonly until: number;
}

/** The times in which a phone had no process, by the server's own record. */
function awaysSince({ standIn }: PhonesHouse, after: number): Away[] {
  const found: Away[] = [];
  const open = new Map<string, number>();
  for (const entry of standIn.record.entries({ after })) {
    const { kind, at, phone } = entry;
    if (phone === null) continue;
    const from = open.get(phone);
    if (kind === "closed") open.set(phone, from ?? at);
    if (kind !== "opened" || from === undefined) continue;
    found.push({ phone, from, until: at });
    open.delete(phone);
  }
  return [...found, ...[...open].map(([phone, from]) => ({ phone, from, until: Date.now() }))];
}

function markOf({ standIn }: PhonesHouse): number {
  return standIn.record.entries().at(-1)?.n ?? 0;
}

function isConnected({ standIn }: PhonesHouse): (phone: string) => boolean {
  return (phone) => standIn.phone(phone).linked.every(({ connected }) => connected);
}

function unreceipted({ standIn }: PhonesHouse, phone: string): boolean {
  return standIn.phone(phone).linked.some(({ pending }) => pending > 0);
}

/** Resolves once the server has all phones connected. */
async function untilConnected(house: PhonesHouse): Promise<void> {
  await waitFor(() => house.phones.every(isConnected(house)), {
    what: "all phones to be connected",
    deadlineMs: strikeWithinMs,
  });
}

/** Resolves once the store is told so. */
async function untilSaidConnected(house: PhonesHouse): Promise<void> {
  const url = `${house.gateways()[0]}/${house.slug}/api/messaging?action=status`;
  await waitFor(
    async () => {
      const answer = await fetch(url, { headers: { Authorization: `Bearer ${house.apiKey}` } });
      const { connections } = (await answer.json()) as { connections: { state: string }[] };
      return connections.every(({ state }) => state === "connected");
    },
    { what: "all connections to be called connected", deadlineMs: strikeWithinMs },
  );
}

const calmMs = 1_500;

/** Resolves once every phone has stayed where it is for a moment. */
async function untilCalm(house: PhonesHouse): Promise<void> {
  await waitFor(
    () => {
      const last = house.standIn.record.entries({ kind: "closed" }).at(-1)?.at ?? 0;
      return Date.now() - last > calmMs && house.phones.every(isConnected(house));
    },
    { what: "the phones to stay where they are", deadlineMs: strikeWithinMs },
  );
}

/** Parts that people got again under the same id: for them it is one message. */
function repeats({ standIn }: PhonesHouse, name: string): number {
  return standIn.record
    .entries({ kind: "message" })
    .flatMap(({ copies }) => copies)
    .filter(({ repeated, message }) => repeated && textOf(message).startsWith(`${name} `)).length;
}

function textOf(
  message: {
    conversation?: string | null | undefined;
    extendedTextMessage?: { text?: string | null | undefined } | null | undefined;
  } | null,
): string {
  return message?.conversation ?? message?.extendedTextMessage?.text ?? "";
}

function restMsOf({ lanes }: PhonesHouse): number {
  return lanes.length * loadEveryMs;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
