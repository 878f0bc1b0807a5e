// Free ports: what was given is not given again before somebody listens on it.
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";

test("of many ports that are asked for at once none is given twice", async () => {
  // By chance alone two of so many would be the same nearly always.
  const ports = await Promise.all(Array.from({ length: 400 }, () => freePort()));
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
  expect(Math.max(...ports)).toBeLessThan(32_000);
});
