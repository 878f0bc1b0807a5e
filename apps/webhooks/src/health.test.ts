// How an endpoint's health turns with what its attempts bring: pure, on a clock of the test's own.
import { expect, test } from "vitest";
import { Health } from "./health.ts";

const hour = 3_600_000;

test("nothing known, one request; each quick success allows one more, up to a bound", () => {
  const health = new Health(0);
  expect([health.state, health.limit(0)]).toEqual(["untested", 1]);
  health.succeeded(1, 20);
  expect([health.state, health.limit(1), health.reason]).toEqual(["healthy", 2, null]);
  for (let count = 0; count < 100; count++) health.succeeded(2, 20);
  expect(health.limit(2)).toBe(32);
});

test("a failure now and then halves what it may have and stops nothing", () => {
  const health = new Health(0);
  for (let count = 0; count < 9; count++) health.succeeded(1, 20);
  health.failed(2, 1, "The URL answered 500.");
  health.failed(2, 1, "The URL answered 500.");
  expect([health.state, health.limit(2)]).toEqual(["healthy", 2]);
  health.succeeded(3, 20);
  health.failed(4, 3, "The URL answered 500.");
  expect(health.state).toBe("healthy");
});

test("after three failures in a row single tries are made with growing pauses, until one succeeds", () => {
  const health = new Health(0);
  const fail = (now: number) => health.failed(now, now, "The URL answered 500.");
  for (let count = 0; count < 3; count++) fail(0);
  expect([health.state, health.reason, health.limit(0)]).toEqual([
    "failing",
    "The URL answered 500.",
    0,
  ]);
  const pauses = [];
  for (let now = 0; pauses.length < 7;) {
    pauses.push(Math.round((health.pausedUntil - now) / 1_000));
    now = health.pausedUntil;
    expect([health.limit(now - 1), health.limit(now)]).toEqual([0, 1]);
    fail(now);
  }
  const wanted = [1, 5, 30, 60, 300, 300, 300];
  for (const [index, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(Math.floor((wanted[index] ?? 0) * 0.8));
    expect(pause).toBeLessThanOrEqual(Math.ceil((wanted[index] ?? 0) * 1.2));
  }
  health.succeeded(hour, 20);
  expect([health.state, health.limit(hour), health.since]).toEqual(["healthy", 2, hour]);
});

test("many requests under way at one outage are one setback, not many", () => {
  const health = new Health(0);
  for (let count = 0; count < 31; count++) health.succeeded(1, 20);
  for (let count = 0; count < 32; count++) health.failed(100, 50, "The URL answered 502.");
  expect(health.state).toBe("failing");
  expect(health.pausedUntil).toBeLessThanOrEqual(100 + 1_200);
});

test("a hang counts while it lasts, and at its end is a failure by itself", () => {
  const untested = new Health(0);
  untested.dragsOn();
  expect([untested.state, untested.limit(1_000)]).toEqual(["failing", 1]);
  const healthy = new Health(0);
  for (let count = 0; count < 31; count++) healthy.succeeded(1, 20);
  healthy.dragsOn();
  expect([healthy.state, healthy.limit(1_000)]).toEqual(["slow", 5]);
  healthy.draggedOn();
  expect([healthy.state, healthy.limit(1_000)]).toEqual(["healthy", 32]);
  healthy.failed(15_000, 0, "No answer in time.");
  expect([healthy.state, healthy.limit(15_000)]).toEqual(["failing", 0]);
});

test("one that always takes seconds is slow, gets few at once, and is healthy again when it clearly is", () => {
  const health = new Health(0);
  for (let count = 0; count < 10; count++) health.succeeded(count, 3_000);
  expect([health.state, health.limit(10)]).toEqual(["slow", 5]);
  expect(health.reason).toMatch(/3\.0 s/);
  health.succeeded(11, 20);
  expect(health.state).toBe("slow");
  for (let count = 0; count < 10; count++) health.succeeded(12, 20);
  expect([health.state, health.reason]).toEqual(["healthy", null]);
});

test("what an owner before wrote down is believed when it was bad, and its time goes on", () => {
  const failing = new Health(10 * hour, { state: "failing", ageMs: hour });
  expect([failing.state, failing.limit(10 * hour), failing.since]).toEqual([
    "failing",
    1,
    9 * hour,
  ]);
  expect(new Health(0, { state: "healthy", ageMs: hour }).state).toBe("untested");
});
