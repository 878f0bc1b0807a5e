// Workers and assignments on a real database: even shares, epochs that grow, and nothing held past its lease.
import { Database } from "@thikaa/db";
import { setTimeout as pause } from "node:timers/promises";
import { createTestDatabase, deferred, startFaultProxy, waitFor } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Assignments } from "./assignments.ts";
import type { Held } from "./assignments.ts";
import { createLog } from "./log.ts";
import { Worker } from "./worker.ts";

interface Process {
  readonly worker: Worker;
  readonly assignments: Assignments;
  /** What its work on keys did, in order: `begin a 1`, `abort a 1`, `end a 1`. */
  readonly done: string[];
  stop(): Promise<void>;
}

const log = createLog({ name: "test", level: "silent" });
const ttlMs = 1_500;

let testDatabase: TestDatabase;
let database: Database;
const opened: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  testDatabase = await createTestDatabase({ name: "runtime_worker" });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 10 });
});

afterEach(async () => {
  for (const item of opened.splice(0).toReversed()) await item.close();
  await database.close();
  await testDatabase.close();
});

async function startProcess(
  keys: readonly string[] | (() => Promise<readonly string[]>),
  through: Database = database,
  /** Ends of work that take longer, by key. */
  ends: ReadonlyMap<string, Promise<void>> = new Map(),
): Promise<Process> {
  const worker = await Worker.start({ database: through, role: "test", log, ttlMs });
  const done: string[] = [];
  const assignments = Assignments.start({
    database: through,
    worker,
    log,
    kind: "test",
    keys: typeof keys === "function" ? keys : () => Promise.resolve(keys),
    acquired: begin,
  });
  const stop = async () => {
    await assignments.stop();
    await worker.stop();
  };
  opened.push({ close: stop });
  return { worker, assignments, done, stop };

  function begin({ key, epoch, signal }: Held): Promise<() => Promise<void>> {
    done.push(`begin ${key} ${epoch}`);
    signal.addEventListener("abort", () => done.push(`abort ${key} ${epoch}`));
    return Promise.resolve(async () => {
      await ends.get(key);
      done.push(`end ${key} ${epoch}`);
    });
  }
}

const counts = (processes: readonly Process[]) =>
  processes.map(({ assignments }) => assignments.held.size).toSorted((left, right) => left - right);
const shares = (processes: readonly Process[], wanted: readonly number[], what: string) =>
  waitFor(() => String(counts(processes)) === String(wanted), {
    what: `${what}: ${String(wanted)}`,
    deadlineMs: 8_000,
  });

async function rows(): Promise<Map<string, { worker: string | null; epoch: number }>> {
  const found = await database.query<{ key: string; worker: string | null; epoch: number }>({
    text: "SELECT key, worker, epoch FROM assignments",
  });
  return new Map(found.rows.map(({ key, ...row }) => [key, row]));
}

test(
  "keys are shared evenly while workers come and go, each by one at a time, with epochs that grow",
  { timeout: 40_000 },
  async () => {
    const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
    const first = await startProcess(keys);
    await shares([first], [10], "one worker");
    const before = await rows();
    const [second, third] = [await startProcess(keys), await startProcess(keys)];
    await shares([first, second, third], [3, 3, 4], "three workers");
    const during = await rows();
    for (const key of keys) {
      const holders = [first, second, third].filter(({ assignments }) => assignments.held.has(key));
      expect(holders).toHaveLength(1);
      const [holder] = holders;
      expect(holder?.assignments.held.get(key)?.epoch).toBe(during.get(key)?.epoch);
      expect(during.get(key)?.worker).toBe(holder?.worker.id);
      const grew = (during.get(key)?.epoch ?? 0) - (before.get(key)?.epoch ?? 0);
      expect(grew).toBe(holder === first ? 0 : 1);
    }
    await second.stop();
    await third.stop();
    expect(counts([second, third])).toEqual([0, 0]);
    expect(second.done.filter((line) => line.startsWith("end"))).toHaveLength(
      second.done.filter((line) => line.startsWith("begin")).length,
    );
    await shares([first], [10], "one worker again");
  },
);

test("a stop gives keys back after their work has ended, so that another takes them at once", async () => {
  const first = await startProcess(["a"]);
  await shares([first], [1], "the first");
  const second = await startProcess(["a"]);
  await first.stop();
  expect(first.done).toEqual(["begin a 1", "abort a 1", "end a 1"]);
  expect((await rows()).get("a")).toEqual({ worker: null, epoch: 1 });
  second.assignments.nudge();
  await shares([second], [1], "the second");
  expect(second.done).toEqual(["begin a 2"]);
});

test("of a worker that stops, each key goes to another as soon as its own work has ended", async () => {
  const keys = ["a", "b", "c", "d"];
  const slow = deferred();
  const leaving = await startProcess(keys, database, new Map([["c", slow.promise]]));
  await shares([leaving], [4], "one worker");
  const staying = await startProcess(keys);
  opened.push({ close: () => Promise.resolve(slow.resolve()) });
  const holds = (wanted: readonly string[]) =>
    waitFor(() => String([...staying.assignments.held.keys()].toSorted()) === String(wanted), {
      what: `the other one to hold ${String(wanted)}`,
      deadlineMs: 5_000,
    });
  const stopped = leaving.stop();
  await holds(["a", "b", "d"]);
  expect((await rows()).get("c")?.worker).toBe(leaving.worker.id);
  slow.resolve();
  await stopped;
  await holds(keys);
});

test("work that takes long to end keeps its worker from nothing else", async () => {
  const [keys, slow] = [["a"], deferred()];
  const only = await startProcess(keys, database, new Map([["a", slow.promise]]));
  opened.push({ close: () => Promise.resolve(slow.resolve()) });
  await shares([only], [1], "one worker");
  keys.splice(0, 1, "b");
  await waitFor(() => only.assignments.held.has("b"), { what: "the new key to be taken" });
  expect(only.done).toEqual(["begin a 1", "abort a 1", "begin b 1"]);
  expect((await rows()).get("a")?.worker).toBe(only.worker.id);
  slow.resolve();
  await waitFor(async () => (await rows()).get("a")?.worker === null, {
    what: "the old key to be given back",
  });
});

test("a dead worker's keys are taken over when its lease has run out, not before", async () => {
  const dead = crypto.randomUUID();
  await database.query({
    text: "INSERT INTO workers (id, role, host, expires_at) VALUES ($1, 'test', 'gone', now() + interval '1 second')",
    values: [dead],
  });
  await database.query({
    text: "INSERT INTO assignments (kind, key, worker, epoch) VALUES ('test', 'a', $1, 7)",
    values: [dead],
  });
  const living = await startProcess(["a"]);
  await waitFor(() => living.assignments.settled, { what: "a first round" });
  expect(living.assignments.held.size).toBe(0);
  await shares([living], [1], "the living one");
  expect(living.done).toEqual(["begin a 8"]);
  const { rows: left } = await database.query<{ dead: boolean }>({
    text: "SELECT expires_at <= now() AS dead FROM workers WHERE id = $1",
    values: [dead],
  });
  expect(left[0]?.dead).toBe(true);
});

test("a key whose owner came back while another looked for free ones stays its owner's", async () => {
  const owner = crypto.randomUUID();
  await database.query({
    text: "INSERT INTO workers (id, role, host, expires_at) VALUES ($1, 'gone', 'gone', now())",
    values: [owner],
  });
  await database.query({
    text: "INSERT INTO assignments (kind, key, worker, epoch) VALUES ('test', 'a', $1, 7)",
    values: [owner],
  });
  await makeLookingStand();
  let other: Process | undefined;
  await database.transaction(async (transaction) => {
    await transaction.query({ text: "SELECT pg_advisory_xact_lock(7)" });
    other = await startProcess(["a"]);
    await waitFor(oneWaits, { what: "the other one to look who lives" });
    await database.query({
      text: "UPDATE workers SET expires_at = now() + interval '1 hour' WHERE id = $1",
      values: [owner],
    });
    await database.query({ text: "UPDATE assignments SET epoch = 8" });
  });
  await waitFor(() => other?.assignments.settled, { what: "a round" });
  expect(other?.done).toEqual([]);
  expect((await rows()).get("a")).toEqual({ worker: owner, epoch: 8 });
});

/** From now on, who looks for free keys has seen the workers as they are and stands before it says so, while lock 7 is held. */
async function makeLookingStand(): Promise<void> {
  await database.query({
    text: `ALTER TABLE assignments RENAME TO assigned;
           CREATE FUNCTION stand() RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN
             IF current_query() LIKE '%SKIP LOCKED%' THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;
             RETURN true;
           END$$;
           CREATE VIEW assignments AS SELECT * FROM assigned WHERE stand()`,
  });
}

test("a key that is no longer wanted is given back, one that is released is taken anew", async () => {
  const keys = ["a", "b"];
  const process = await startProcess(keys);
  await shares([process], [2], "both keys");
  keys.pop();
  process.assignments.nudge();
  await shares([process], [1], "one key");
  expect(process.done).toContain("end b 1");
  await process.assignments.release("a");
  await waitFor(() => process.done.includes("begin a 2"), {
    what: "the released key to be taken anew",
  });
  expect(process.done.indexOf("end a 1")).toBeLessThan(process.done.indexOf("begin a 2"));
});

test("a key beyond its share that could not be given back is given back as soon as that works", async () => {
  const keys = ["a", "b"];
  const first = await startProcess(keys);
  await shares([first], [2], "one worker");
  await database.query({
    text: `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not now'; END$$;
           CREATE TRIGGER refuse BEFORE UPDATE ON assignments FOR EACH ROW WHEN (NEW.worker IS NULL) EXECUTE FUNCTION refuse()`,
  });
  const second = await startProcess(keys);
  await waitFor(() => first.done.includes("end b 1"), { what: "the work on one key to end" });
  await pause(100);
  expect((await rows()).get("b")?.worker).toBe(first.worker.id);
  await database.query({ text: "DROP TRIGGER refuse ON assignments" });
  await shares([first, second], [1, 1], "two workers");
  expect(first.done).toEqual(["begin a 1", "begin b 1", "abort b 1", "end b 1"]);
  expect(second.done).toEqual(["begin b 2"]);
});

test("a key that another took and gave back, unnoticed, is dropped and taken anew", async () => {
  const keys = ["a", "b"];
  const first = await startProcess(keys);
  const second = await startProcess(keys);
  await shares([first, second], [1, 1], "two workers");
  const [key, before] = [...first.assignments.held][0] ?? ["", null];
  await database.query({
    text: "UPDATE assignments SET worker = NULL, epoch = epoch + 1 WHERE key = $1",
    values: [key],
  });
  const epoch = (before?.epoch ?? 0) + 2;
  await waitFor(() => first.assignments.held.get(key)?.epoch === epoch, {
    what: "the key to be held under its new epoch",
    deadlineMs: 5_000,
  });
  expect(before?.signal.aborted).toBe(true);
  await shares([first, second], [1, 1], "two workers");
});

test("work that can't begin is tried again, and harms no other key", async () => {
  const worker = await Worker.start({ database, role: "test", log, ttlMs });
  let tries = 0;
  const acquired = ({ key }: Held) =>
    key === "bad" && ++tries < 3
      ? Promise.reject(new Error("not yet"))
      : Promise.resolve(() => Promise.resolve());
  const assignments = Assignments.start({
    database,
    worker,
    log,
    kind: "test",
    keys: () => Promise.resolve(["bad", "good"]),
    acquired,
  });
  opened.push({ close: () => assignments.stop().then(() => worker.stop()) });
  await waitFor(() => assignments.held.has("good"), { what: "the good key" });
  await waitFor(() => assignments.held.has("bad") && tries === 3, {
    what: "the bad key at its third try",
  });
});

test.each(["blackHole", "reset"] as const)(
  "a worker cut off (%s) lets its keys go before its lease ends, and works again afterwards",
  async (kind) => {
    const proxy = await startFaultProxy({ target: testDatabase.url });
    const through = new Database({ url: proxy.url, applicationName: "test", maxConnections: 5 });
    opened.push({ close: () => through.close() }, { close: () => proxy.close() });
    const process = await startProcess(["a"], through);
    await shares([process], [1], "the key");
    const dropped = waitFor(() => process.done.includes("abort a 1"), {
      what: "the key to be let go",
    });
    await proxy.set({ kind });
    await dropped;
    const { rows: left } = await database.query<{ left_ms: number }>({
      text: "SELECT extract(epoch FROM expires_at - now()) * 1000 AS left_ms FROM workers WHERE id = $1",
      values: [process.worker.id],
    });
    expect(Number(left[0]?.left_ms)).toBeGreaterThan(0);
    expect(process.worker.alive).toBe(false);
    expect(process.assignments.held.size).toBe(0);
    await proxy.set({ kind: "pass" });
    await waitFor(() => process.done.includes("begin a 2"), { what: "the key to be taken anew" });
    expect(process.worker.alive).toBe(true);
  },
);

test("a worker that lost its lease and never heard of it takes its keys anew, with a new epoch", async () => {
  const process = await startProcess(["a"]);
  await shares([process], [1], "the key");
  await database.query({ text: "UPDATE workers SET expires_at = now() - interval '1 second'" });
  await waitFor(() => process.done.includes("begin a 2"), { what: "the key to be taken anew" });
  expect(process.done.slice(0, 2)).toEqual(["begin a 1", "abort a 1"]);
});

test("work that was lost with its lease is begun anew, but only when it has ended", async () => {
  const slow = deferred();
  const process = await startProcess(["a"], database, new Map([["a", slow.promise]]));
  opened.push({ close: () => Promise.resolve(slow.resolve()) });
  await shares([process], [1], "the key");
  await database.query({ text: "UPDATE workers SET expires_at = now() - interval '1 second'" });
  await waitFor(() => process.done.includes("abort a 1"), { what: "the key to be let go" });
  await pause(2_500); // Two rounds in which it could have been taken.
  expect(process.done).toEqual(["begin a 1", "abort a 1"]);
  slow.resolve();
  await waitFor(() => process.done.includes("begin a 2"), { what: "the key to be taken anew" });
  expect(process.done).toEqual(["begin a 1", "abort a 1", "end a 1", "begin a 2"]);
});

test("a round that stood still until the lease was over begins nothing", async () => {
  const gate = deferred();
  let standing = Promise.resolve();
  const process = await startProcess(() => standing.then(() => ["a"]));
  await shares([process], [1], "the key");
  standing = gate.promise;
  await holdWorkers(async () => {
    await waitFor(() => !process.worker.alive, { what: "the lease to be over" });
    gate.resolve();
    await pause(500);
    expect(process.done).toEqual(["begin a 1", "abort a 1", "end a 1"]);
  });
  await waitFor(() => process.done.at(-1)?.startsWith("begin"), { what: "the key to be taken" });
});

test("a lease runs from when it was renewed, not from when that was known", async () => {
  const process = await startProcess(["a"]);
  await shares([process], [1], "the key");
  const dropped = waitFor(() => process.done.includes("abort a 1"), {
    what: "the key to be let go",
  });
  // A renewal that stands in a lock: its lease is counted from its beginning, its answer comes later than the margin.
  await holdWorkers(async () => {
    await waitFor(oneWaits, { what: "a renewal to wait" });
    await pause(ttlMs * 0.3);
  });
  await holdWorkers(async () => {
    await dropped;
    const { rows: found } = await database.query<{ left_ms: number }>({
      text: "SELECT extract(epoch FROM expires_at - now())::float8 * 1000 AS left_ms FROM workers",
    });
    expect(found[0]?.left_ms).toBeGreaterThan(0);
  });
});

/** Locks the rows of all workers while something is done. */
async function holdWorkers(work: () => Promise<void>): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.query({ text: "SELECT 1 FROM workers FOR UPDATE" });
    await work();
  });
}

/** Whether one statement waits for a lock. */
async function oneWaits(): Promise<boolean> {
  const { rowCount } = await database.query({
    text: "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
  });
  return rowCount === 1;
}
