// The short memory: who asks does not wait for what is in use, nothing is given past its time, and a change is never overwritten by an older reading.
import { setTimeout as pause } from "node:timers/promises";
import { deferred, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { ShortMemory } from "./short-memory.ts";

/** A table whose readings are answered by the test; each tells what stood there when it began. */
function slowTable() {
  const table = { value: "old", readings: [] as (() => void)[] };
  const read = async () => {
    const { value } = table;
    const gate = deferred();
    table.readings.push(() => gate.resolve());
    await gate.promise;
    return value;
  };
  return { table, read };
}

test("those who ask at the same time share one reading; then it is remembered", async () => {
  const { table, read } = slowTable();
  const memory = new ShortMemory({ read, forMs: 60_000, most: 10 });
  const asked = Promise.all(["a", "a"].map(async (key) => memory.find(key)));
  expect(table.readings).toHaveLength(1);
  table.readings[0]?.();
  expect(await asked).toEqual(["old", "old"]);
  expect(memory.find("a")).toBe("old");
  expect(table.readings).toHaveLength(1);
});

test("what is in use is read anew before its time is over, and given meanwhile", async () => {
  const [forMs, values] = [400, ["first", "second"]];
  let readings = 0;
  const read = () => Promise.resolve(values[readings++] ?? "third");
  const memory = new ShortMemory({ read, forMs, most: 10 });
  expect(await memory.find("a")).toBe("first");
  const given: unknown[] = [];
  await waitFor(() => given[given.push(memory.find("a")) - 1] === "second", {
    what: "the second reading",
    deadlineMs: 5_000,
  });
  // Nobody was made to wait for it.
  expect(new Set(given)).toEqual(new Set(["first", "second"]));
  expect(readings).toBe(2);
});

test("what nobody asked for is not given past its time", async () => {
  let readings = 0;
  const memory = new ShortMemory({ read: async () => ++readings, forMs: 50, most: 10 });
  expect(await memory.find("a")).toBe(1);
  await pause(60);
  expect(await memory.find("a")).toBe(2);
});

test.each([
  ["by its key", (memory: ShortMemory<string>) => memory.forget("a")],
  [
    "by what it is",
    (memory: ShortMemory<string>) => memory.forgetWhere((value) => value === "old"),
  ],
])(
  "a reading that began before a change is not remembered after it: forgotten %s",
  async (_how, forget) => {
    const { table, read } = slowTable();
    const memory = new ShortMemory({ read, forMs: 60_000, most: 10 });
    const before = memory.find("a");
    table.value = "new";
    forget(memory);
    table.readings[0]?.();
    expect(await before).toBe("old");
    const after = memory.find("a");
    table.readings[1]?.();
    expect(await after).toBe("new");
  },
);

test("asked for anew, a reading that had begun before is not taken for it", async () => {
  const { table, read } = slowTable();
  const memory = new ShortMemory({ read, forMs: 60_000, most: 10 });
  const before = memory.find("a");
  table.value = "new";
  const anew = memory.findAnew("a");
  table.readings[1]?.();
  expect(await anew).toBe("new");
  table.readings[0]?.();
  expect(await before).toBe("old");
  expect(memory.find("a")).toBe("new");
});

test("what failed, and what is not worth it, is not remembered", async () => {
  const answers = [
    Promise.reject(new Error("away")),
    Promise.resolve(null),
    Promise.resolve("found"),
  ];
  const read = () => answers.shift() ?? Promise.reject(new Error("asked too often"));
  const memory = new ShortMemory<string | null>({
    read,
    forMs: 60_000,
    most: 10,
    worth: (value) => value !== null,
  });
  await expect(memory.find("a")).rejects.toThrow("away");
  expect(await memory.find("a")).toBeNull();
  expect(await memory.find("a")).toBe("found");
  expect(memory.find("a")).toBe("found");
});

test("it does not grow beyond its bound", async () => {
  let readings = 0;
  const memory = new ShortMemory({ read: async () => ++readings, forMs: 60_000, most: 2 });
  for (const key of ["a", "b", "c"]) await memory.find(key);
  expect(await memory.find("a")).toBe(4);
});
