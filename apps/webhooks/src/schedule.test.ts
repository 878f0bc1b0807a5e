// When a delivery is tried again, and what a receiver may ask for.
import { expect, test } from "vitest";
import { parseRetryAfter, retryWaitMs, scheduleSeconds } from "./schedule.ts";

test("the schedule is 5 s to 24 h after the first attempt, ± 20 %, and ends after the eleventh", () => {
  for (const [index, seconds] of scheduleSeconds.entries()) {
    if (index === 0) continue;
    expect(retryWaitMs(index, null, 0)).toBeCloseTo(seconds * 800);
    expect(retryWaitMs(index, null, 0.999_999)).toBeCloseTo(seconds * 1_200, -2);
  }
  expect(retryWaitMs(11)).toBeNull();
  expect(retryWaitMs(12)).toBeNull();
});

test("Retry-After makes the wait longer, never shorter, and at most a day", () => {
  expect(retryWaitMs(1, 60_000, 0.5)).toBe(60_000);
  expect(retryWaitMs(3, 1_000, 0.5)).toBe(300_000);
  expect(retryWaitMs(1, 10 * 86_400_000, 0.5)).toBe(86_400_000);
  expect(retryWaitMs(11, 60_000)).toBeNull();
});

test.each([
  ["120", 120_000],
  [" 0 ", 0],
  ["Sun, 22 Nov 2026 10:15:30 GMT", 30_000],
  ["Sun, 22 Nov 2026 10:00:00 GMT", 0],
  ["soon", null],
  ["-5", null],
  ["1.5", null],
  ["9".repeat(20), null],
  ["2030", 2_030_000],
  ["", null],
  [undefined, null],
])("Retry-After '%s' asks for %s ms", (header, expected) => {
  expect(parseRetryAfter(header, Date.parse("2026-11-22T10:15:00Z"))).toBe(expected);
});
