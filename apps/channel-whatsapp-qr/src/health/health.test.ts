// How carefully a connection sends: pauses, a cap on new people that rises, and silence after a refusal.
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";
import { createMemoryContext } from "@thikaa/testkit";
import { describe, expect, test } from "vitest";
import { Condition } from "../condition.ts";
import { refusalOf } from "../platform/errors.ts";
import { Breaker } from "./breaker.ts";
import { FirstContacts } from "./first-contacts.ts";
import { Health } from "./health.ts";
import { Pace } from "./pace.ts";
import { Pauses } from "./pauses.ts";

describe("the pace", () => {
  function open(random = 0.5) {
    const clock = { now: 0 };
    const pace = new Pace({
      minMs: 3_000,
      maxMs: 10_000,
      now: () => clock.now,
      random: () => random,
    });
    return { pace, clock };
  }

  test("the first message goes at once, and so does one after a pause of its own", () => {
    const { pace, clock } = open();
    expect(pace.take()).toEqual({ waitMs: 0 });
    clock.now += 6_500;
    expect(pace.take()).toEqual({ waitMs: 0 });
  });

  test("between two messages lies a pause between the shortest and the longest", () => {
    for (const [random, pause] of [
      [0, 3_000],
      [1, 10_000],
    ] as const) {
      const { pace, clock } = open(random);
      pace.take();
      clock.now = pause - 1;
      expect(pace.take()).toEqual({ waitMs: 1 });
    }
  });

  test("many at once are each named a time of their own", () => {
    const { pace } = open();
    pace.take();
    const times = [1, 2, 3].map(() => {
      const turn = pace.take();
      return "backInMs" in turn ? turn.backInMs : 0;
    });
    expect(times).toEqual([13_000, 19_500, 26_000]);
  });
});

describe("first contacts", () => {
  function open(most: number) {
    const clock = { now: new Date("2026-11-22T10:00:00Z") };
    const context = createMemoryContext({
      baseUrl: "",
      credentials: {},
      clock: () => clock.now,
    });
    return { clock, context, contacts: () => new FirstContacts(context, most) };
  }
  const day = 24 * 3_600_000;

  async function today(contacts: FirstContacts): Promise<number> {
    let count = 0;
    while ((await contacts.take()) === 0) count += 1;
    return count;
  }

  test("the cap rises over five days, and holds for another owner", async () => {
    const { clock, contacts } = open(20);
    const perDay: number[] = [];
    for (let n = 0; n < 6; n++) {
      perDay.push(await today(contacts()));
      clock.now = new Date(clock.now.getTime() + day);
    }
    expect(perDay).toEqual([4, 8, 12, 16, 20, 20]);
  });

  test("who is over the cap waits for the next day", async () => {
    const { contacts } = open(5);
    const first = contacts();
    await today(first);
    expect(await contacts().take()).toBe(14 * 3_600_000);
  });

  test("several at once don't get past it together", async () => {
    const { contacts } = open(5);
    const one = contacts();
    const waits = await Promise.all([one.take(), one.take(), one.take()]);
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1);
  });

  test("0 sets no limit, and writes nothing", async () => {
    const { contacts, context } = open(0);
    for (let n = 0; n < 50; n++) expect(await contacts().take()).toBe(0);
    expect(await context.state.get(["first-contacts"])).toEqual(new Map());
  });
});

test("a breaker stays open longer after each further refusal, and forgets them once something passed", () => {
  const clock = { now: 0 };
  const breaker = new Breaker({ firstMs: 60, lastMs: 200, now: () => clock.now });
  const trips = [1, 2, 3].map(() => {
    const forMs = breaker.trip();
    clock.now += forMs;
    return forMs;
  });
  expect(trips).toEqual([60, 120, 200]);
  breaker.trip();
  // What was under way when it tripped makes it no worse.
  clock.now += 50;
  expect(breaker.trip()).toBe(150);
  clock.now += 150;
  breaker.passed();
  expect(breaker.trip()).toBe(60);
});

test("a message that only waits for its turn is not counted as a first contact", async () => {
  const context = createMemoryContext({ baseUrl: "", credentials: {} });
  const settings = { paceMs: { min: 60_000, max: 60_000 }, dailyFirstContacts: 50 };
  const health = new Health(context, new Condition(context), settings);
  expect(await health.admit({ isFirst: true })).toBeNull();
  for (const _ of [1, 2, 3])
    expect(await health.admit({ isFirst: true })).toMatchObject({
      class: "throttled",
      reason: { code: "paced" },
    });
  const kept = await context.state.get(["first-contacts"]);
  expect(JSON.parse(kept.get("first-contacts") ?? "")).toMatchObject({ count: 1 });
});

describe("refusals", () => {
  function open() {
    const reports: { state: ConnectionState; reason: ConnectionReason | null }[] = [];
    const context = createMemoryContext({
      baseUrl: "",
      credentials: {},
      report: (state, reason) => void reports.push({ state, reason }),
    });
    const settings = { paceMs: { min: 0, max: 0 }, dailyFirstContacts: 0 };
    return { reports, context, health: new Health(context, new Condition(context), settings) };
  }

  test("463 refuses the message, says that new people have to wait, and lets known ones be written to", async () => {
    const { reports, context, health } = open();
    expect(health.refused(refusalOf("463"))).toMatchObject({
      class: "rejected",
      reason: { provider_code: "463" },
    });
    expect(reports).toMatchObject([
      { state: "limited", reason: { code: "first_contact_refused" } },
    ]);
    expect(await health.admit({ isFirst: true })).toMatchObject({
      class: "throttled",
      scope: "recipient",
      reason: { code: "first_contacts_paused" },
    });
    expect(await health.admit({ isFirst: false })).toBeNull();
    context.end();
  });

  test.each(["429", "403"])("%s pauses the whole connection, longer each time", (code) => {
    const { health } = open();
    expect(health.refused(refusalOf(code))).toMatchObject({
      class: "throttled",
      scope: "connection",
      retryAfterMs: 60_000,
    });
  });

  test.each([
    ["503", "unavailable"],
    ["479", "unavailable"],
    ["400", "rejected"],
    ["499", "rejected"],
  ])("%s is %s", (code, means) => {
    const { health } = open();
    expect(health.refused(refusalOf(code)).class).toBe(means);
  });

  test("a pause holds for the next owner, who says so, and ends in its time", async () => {
    const clock = { now: new Date("2026-11-22T10:00:00Z") };
    const { reports, context } = open();
    const settings = { paceMs: { min: 0, max: 0 }, dailyFirstContacts: 0 };
    const shared = { ...context, clock: () => clock.now };
    const owner = () => Health.load(shared, new Condition(context), settings);
    for (const code of ["463", "429"]) {
      const first = await owner();
      first.refused(refusalOf(code));
      await first.settled();
    }
    const next = await owner();
    next.saySo();
    expect(reports.at(-1)).toMatchObject({ state: "limited" });
    expect(await next.admit({ isFirst: false })).toMatchObject({
      class: "throttled",
      scope: "connection",
      retryAfterMs: 60_000,
      reason: { code: "sending_paused" },
    });
    clock.now = new Date(clock.now.getTime() + 61_000);
    const later = await owner();
    expect(await later.admit({ isFirst: false })).toBeNull();
    expect(await later.admit({ isFirst: true })).toMatchObject({
      scope: "recipient",
      reason: { code: "first_contacts_paused" },
    });
    clock.now = new Date(clock.now.getTime() + 3_600_000);
    expect(await (await owner()).admit({ isFirst: true })).toBeNull();
    const before = reports.length;
    (await owner()).saySo();
    expect(reports).toHaveLength(before);
    context.end();
  });

  test("the next pause is longer, for another owner too, until something was taken", async () => {
    const { context } = open();
    const clock = { now: 1_000_000_000_000 };
    const shared = { ...context, clock: () => new Date(clock.now) };
    const first = new Pauses(shared);
    const refuse = async (pauses: Pauses) => {
      const forMs = pauses.tooMuch.trip();
      pauses.made({ code: "a", message: "A." });
      await pauses.settled();
      clock.now += forMs;
      return forMs;
    };
    expect(await refuse(first)).toBe(60_000);
    const second = await Pauses.load(shared);
    expect(await refuse(second)).toBe(120_000);
    second.passed({ isFirst: false });
    await second.settled();
    expect(await refuse(await Pauses.load(shared))).toBe(60_000);
  });
});
