// Trouble: one line when it begins, one a minute while it lasts, one when it is over; one for all works when PostgreSQL is away.
import { setTimeout as pause } from "node:timers/promises";
import { Database } from "@thikaa/db";
import { createTestDatabase, startFaultProxy, waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Assignments } from "./assignments.ts";
import { createLog } from "./log.ts";
import { startLoop } from "./loop.ts";
import { Trouble } from "./trouble.ts";
import { Worker } from "./worker.ts";

interface Line {
  readonly msg: string;
  readonly failures?: number;
  readonly for_seconds?: number;
}

function listen() {
  const lines: Line[] = [];
  const write = (text: string) => void lines.push(JSON.parse(text) as Line);
  return { lines, log: createLog({ name: "test", level: "info" }, { write }) };
}

const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
const lockTimeout = Object.assign(new Error("canceling statement"), { code: "55P03" });

describe("by the clock", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("a failure that goes on is told when it begins, once a minute, and when it is over, with its count", () => {
    const { lines, log } = listen();
    const trouble = new Trouble(log, "items wait");
    for (let second = 0; second < 150; second++) {
      trouble.failed(new Error("no"));
      vi.advanceTimersByTime(1_000);
    }
    vi.advanceTimersByTime(10_000);
    trouble.passed();
    trouble.passed();
    expect(lines.map(({ msg }) => msg)).toEqual([
      "items wait",
      "items wait (still)",
      "items wait (still)",
      "over: items wait",
    ]);
    expect(lines.map(({ failures }) => failures)).toEqual([undefined, 61, 121, 150]);
    expect(lines[3]?.for_seconds).toBe(149);
  });

  test("works that fail for PostgreSQL's sake share one line, and one that works again does not end it too early", () => {
    const { lines, log } = listen();
    const [reading, writing] = [new Trouble(log, "reading"), new Trouble(log, "writing")];
    reading.failed(refused);
    writing.failed(refused);
    reading.passed();
    writing.failed(refused);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(7_000);
    reading.passed();
    expect(lines.map(({ msg }) => msg)).toEqual([
      "PostgreSQL can't serve just now; the work waits",
      "over: PostgreSQL can't serve just now; the work waits",
    ]);
  });

  test("a lock that was waited for too long is the work's own trouble, not PostgreSQL's", () => {
    const { lines, log } = listen();
    new Trouble(log, "writing").failed(lockTimeout);
    expect(lines.map(({ msg }) => msg)).toEqual(["writing"]);
  });

  test("where nobody tells of successes, a failure after a quiet minute is told anew", () => {
    const { lines, log } = listen();
    const trouble = new Trouble(log, "opening");
    trouble.failed(new Error("no"));
    vi.advanceTimersByTime(61_000);
    trouble.failed(new Error("no"));
    expect(lines.map(({ msg }) => msg)).toEqual(["opening", "opening"]);
  });
});

test(
  "with PostgreSQL away, ten works of a process write a line when it begins and one when it is over",
  { timeout: 60_000 },
  async () => {
    const testDatabase = await createTestDatabase({ name: "trouble" });
    const proxy = await startFaultProxy({ target: testDatabase.url });
    const database = new Database({ url: proxy.url, applicationName: "test", maxConnections: 4 });
    const { lines, log } = listen();
    const worker = await Worker.start({ database, role: "test", log });
    const assignments = Assignments.start({
      database,
      worker,
      log,
      kind: "test",
      keys: () => Promise.resolve(["a"]),
      acquired: () => Promise.resolve(() => Promise.resolve()),
    });
    let rounds = 0;
    const loops = Array.from({ length: 8 }, (_, index) =>
      startLoop({
        everyMs: 100,
        trouble: new Trouble(log, `work ${index}`),
        work: async () => {
          await database.query({ text: "SELECT 1" });
          rounds += 1;
          return false;
        },
      }),
    );
    try {
      await waitFor(() => rounds > 20, { what: "the works to work" });
      await proxy.set({ kind: "reset" });
      // An outage is a length of time: there is nothing to wait for but it.
      await pause(7_000);
      await proxy.set({ kind: "pass" });
      const over = () => lines.some(({ msg }) => msg.startsWith("over:"));
      await waitFor(over, { what: "the end to be told", deadlineMs: 30_000 });
      expect(lines.map(({ msg }) => msg)).toEqual([
        "PostgreSQL can't serve just now; the work waits",
        "over: PostgreSQL can't serve just now; the work waits",
      ]);
      expect(lines[1]?.failures).toBeGreaterThan(20);
    } finally {
      await Promise.all(loops.map((loop) => loop.stop()));
      await assignments.stop();
      await worker.stop();
      await database.close();
      await proxy.close();
      await testDatabase.close();
    }
  },
);
