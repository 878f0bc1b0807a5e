// The caches that Baileys is given forget: what is old, and the oldest when there is too much.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

const minute = 60_000;

test("the oldest goes when it is full, and what was written again is young", () => {
  const cache = new BoundedCache({ lifetimeMs: minute, most: 2 });
  cache.set("a", 1);
  cache.set("b", 2);
  cache.set("a", 3);
  cache.set("c", 4);
  expect(["a", "b", "c"].map((name) => cache.get(name))).toEqual([3, undefined, 4]);
});

test("what is deleted, flushed or past its time is not there", async () => {
  const cache = new BoundedCache({ lifetimeMs: minute, most: 9 });
  cache.set("a", 1);
  cache.del("a");
  expect(cache.get("a")).toBeUndefined();
  cache.set("b", 2);
  cache.flushAll();
  expect(cache.get("b")).toBeUndefined();
  const brief = new BoundedCache({ lifetimeMs: 1, most: 9 });
  brief.set("a", 1);
  await pause(5);
  expect(brief.get("a")).toBeUndefined();
});
