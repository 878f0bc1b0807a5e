// The rate limit: exact within a window, by name, and begun anew with the next one.
import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("so many are let through in a window, each name by itself; one more is told how long to wait", () => {
  const rate = new RateLimit(2, 60_000);
  expect([rate.take("a", 0), rate.take("a", 1_000), rate.take("b", 1_500)]).toEqual([
    null,
    null,
    null,
  ]);
  expect(rate.take("a", 15_500)).toBe(45);
  expect(rate.take("a", 60_000)).toBeNull();
});
