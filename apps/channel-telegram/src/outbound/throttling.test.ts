// Whom a 429 concerns, told by the other recipients' answers.
import { expect, test } from "vitest";
import { Throttling } from "./throttling.ts";

test("one recipient's waits are its own; a second recipient that has to wait meanwhile makes it the whole bot's", () => {
  let now = 0;
  const throttling = new Throttling(() => now);
  expect(throttling.scopeOf("1", 5_000)).toBe("recipient");
  expect(throttling.scopeOf("1", 5_000)).toBe("recipient");
  now = 4_999;
  expect(throttling.scopeOf("2", 5_000)).toBe("connection");
  now = 20_000;
  expect(throttling.scopeOf("3", 5_000)).toBe("recipient");
});
