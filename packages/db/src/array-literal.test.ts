// Array literals: whatever goes in comes out of PostgreSQL again, and costs less than the driver's own.
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arrayLiteral } from "./array-literal.ts";
import { Database } from "./database.ts";

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "array_literal" });
  database = new Database({ url: testDatabase.url, applicationName: "test" });
});

afterAll(async () => {
  await database.close();
  await testDatabase.close();
});

async function through(type: string, items: readonly unknown[]): Promise<unknown> {
  const { rows } = await database.query<{ items: unknown }>({
    text: `SELECT $1::${type}[] AS items`,
    values: [items],
  });
  return rows[0]?.items;
}

test("texts come back as they were, whatever is in them", async () => {
  const texts = [
    "",
    " ",
    "NULL",
    "null",
    "plain",
    "a,b",
    "{}",
    'say "hi"',
    "back\\slash",
    '\\"',
    "\\n is no line",
    'a line\nand "another"\r\n\ttoo',
    'bell \u0007 and "quotes"',
    "\u0085\u009f\u007f",
    '"\u007f"',
    'مرحبا "بك"',
    '😀 "😀"',
    JSON.stringify({ text: 'a "b" \\ c\n\u0001', list: ["{", "}"] }),
  ];
  expect(await through("text", [...texts, null, undefined])).toEqual([...texts, null, null]);
  expect(await through("text", [])).toEqual([]);
});

test("half a character becomes the sign for one, and spoils nothing beside it", async () => {
  expect(await through("text", ['"\ud83d"', "next"])).toEqual(['"\ufffd"', "next"]);
});

test("JSON comes back as it was", async () => {
  const documents = [{ text: 'مرحبا "بك"\n\\', media: null }, { deep: [[{ a: "\u2028" }]] }];
  const sent = documents.map((document) => JSON.stringify(document));
  expect(await through("jsonb", sent)).toEqual(documents);
  expect(await through("json", sent)).toEqual(documents);
});

test("numbers, flags, moments, bytes and ids come back as they were", async () => {
  const day = new Date("2026-11-30T21:04:05.678Z");
  const bytes = [Buffer.from([0, 92, 34, 255]), Buffer.alloc(0)];
  const id = "0198b0a0-0000-7000-8000-00000000000f";
  expect(await through("bigint", [0, -5, 9_007_199_254_740_991, 7n])).toEqual(
    // The driver reads arrays of int8 as texts.
    ["0", "-5", "9007199254740991", "7"],
  );
  expect(await through("float8", [1.5, 1e21, 1e-7])).toEqual([1.5, 1e21, 1e-7]);
  expect(await through("boolean", [true, false, null])).toEqual([true, false, null]);
  expect(await through("timestamptz", [day, null])).toEqual([day, null]);
  expect(await through("bytea", bytes)).toEqual(bytes);
  expect(await through("uuid", [id])).toEqual([id]);
});

test("what it does not know is left to the driver", async () => {
  expect(arrayLiteral(["a", ["b"]])).toBeNull();
  expect(arrayLiteral([{ a: 1 }])).toBeNull();
  expect(
    await through("text", [
      ["a", "b"],
      ["c", 'd"'],
    ]),
  ).toEqual([
    ["a", "b"],
    ["c", 'd"'],
  ]);
});
