// The batcher: batches gather while others are decided, overlap as far as allowed, and each item gets its own result.
import { deferred } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { Batcher } from "./batcher.ts";

test("items of one turn go out together, and each gets its own result", async () => {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>(
    async (items) => {
      batches.push([...items]);
      return items.map((item) => item * 2);
    },
    { limit: 100 },
  );
  expect(await Promise.all([1, 2, 3].map((item) => batcher.add(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test("one batch at a time gathers the next; two may overlap and share what waits", async () => {
  for (const inFlight of [1, 2]) {
    const gates = [deferred<void>(), deferred<void>(), deferred<void>()];
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>(
      async (items) => {
        sizes.push(items.length);
        await gates[sizes.length - 1]?.promise;
        return [...items];
      },
      { limit: 100, inFlight },
    );
    const all = Promise.all(Array.from({ length: 64 }, (_, item) => batcher.add(item)));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(sizes).toEqual(inFlight === 1 ? [64] : [32, 32]);
    for (const gate of gates) gate.resolve();
    expect(await all).toEqual(Array.from({ length: 64 }, (_, item) => item));
  }
});

test("a batch that throws fails its own items, and the next one goes on", async () => {
  let calls = 0;
  const batcher = new Batcher<number, number>(
    async (items) => {
      calls += 1;
      if (calls === 1) throw new Error("first");
      return [...items];
    },
    { limit: 2 },
  );
  const settled = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
});
