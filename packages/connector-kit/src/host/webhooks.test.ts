// Posted bodies that hold items of many accounts: each goes to its own connection and store, or is kept and counted.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toWireId } from "@thikaa/schema";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";
import type { Connection } from "./fixtures/house.ts";

let house: House;
let base: string;
// Two stores that share what proves a post, as all accounts of one app do; the third has its own.
let here: Connection;
let there: Connection;
let apart: Connection;
const server = createServer();

beforeAll(async () => {
  house = await House.open();
  house.provider.connect = (context) =>
    context.identify({ address: `account of ${context.connectionId}`, name: "Shop", link: null });
  here = await house.connection("shared");
  there = await house.connection("shared");
  apart = await house.connection("its own");
  const service = await house.start();
  for (const connection of [here, there, apart]) await house.untilState(connection, "connected");
  server.on("request", (request, response) => service.handle?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/tg`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await house.close();
});

beforeEach(async () => {
  for (const table of ["inbound_items", "inbound_keys", "inbound_unrouted"])
    await house.database.query({ text: `DELETE FROM ${table}` });
});

function itemFor(connection: Connection | string | null, key: string) {
  const account = typeof connection === "string" ? connection : accountOf(connection);
  return { ...(account === null ? {} : { account }), key, thread: "a", raw: key };
}

function accountOf(connection: Connection | null): string | null {
  return connection === null ? null : `account of ${connection.id}`;
}

async function post(
  door: Connection | null,
  items: readonly object[],
  seal = "shared",
): Promise<number> {
  const url = door === null ? base : `${base}/${toWireId("connection", door.id)}`;
  const answer = await fetch(url, {
    method: "POST",
    headers: { seal },
    body: JSON.stringify(items),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** What was stored, by connection and store. */
async function stored(): Promise<Record<string, string[]>> {
  const { rows } = await house.database.query<{ place: string; keys: string[] }>({
    text: "SELECT connection_id || ' ' || store_id AS place, array_agg(key ORDER BY id) AS keys FROM inbound_items GROUP BY 1",
  });
  return Object.fromEntries(rows.map(({ place, keys }) => [place, keys]));
}

async function kept(): Promise<{ raw: string; reason: string; connection_id: string | null }[]> {
  const { rows } = await house.database.query<{
    raw: Buffer;
    reason: string;
    connection_id: string | null;
  }>({ text: "SELECT raw, reason, connection_id FROM inbound_unrouted ORDER BY id" });
  return rows.map((row) => ({ ...row, raw: row.raw.toString() }));
}

const placeOf = ({ id, storeId }: Connection) => `${id} ${storeId}`;

test.each(["a connection's door", "the channel's door"])(
  "many accounts in one body, by %s: each item is stored under its own connection and store",
  async (name) => {
    const door = name === "a connection's door" ? here : null;
    const items = [itemFor(here, "1"), itemFor(there, "2"), itemFor(here, "3")];
    expect(await post(door, items)).toBe(200);
    expect(await post(door, items)).toBe(200);
    expect(await stored()).toEqual({ [placeOf(here)]: ["1", "3"], [placeOf(there)]: ["2"] });
    expect(await kept()).toEqual([]);
  },
);

test("an item that names no account is the door's own", async () => {
  expect(await post(here, [itemFor(null, "1")])).toBe(200);
  expect(await stored()).toEqual({ [placeOf(here)]: ["1"] });
});

test("items of accounts that no connection has are answered 200 and kept whole", async () => {
  expect(await post(here, [itemFor("nobody's", "1"), itemFor(here, "2")])).toBe(200);
  expect(await post(null, [itemFor("nobody's", "3"), itemFor(there, "4")])).toBe(200);
  expect(await stored()).toEqual({ [placeOf(here)]: ["2"], [placeOf(there)]: ["4"] });
  expect(await kept()).toEqual([
    { raw: "1", reason: "unknown_account", connection_id: here.id },
    { raw: "3", reason: "unknown_account", connection_id: null },
  ]);
});

test("who knows one connection's secrets writes nothing to a connection with others", async () => {
  expect(await post(here, [itemFor(apart, "1"), itemFor(here, "2")])).toBe(200);
  expect(await stored()).toEqual({ [placeOf(here)]: ["2"] });
  expect(await kept()).toEqual([{ raw: "1", reason: "unknown_account", connection_id: here.id }]);
});

test("what nothing proves is answered 401, by either door, and nothing is stored", async () => {
  expect(await post(here, [itemFor(apart, "1")], "its own")).toBe(401);
  expect(await post(null, [itemFor(here, "2")], "its own")).toBe(401);
  expect(await post(null, [itemFor("nobody's", "3")])).toBe(401);
  expect([await stored(), await kept()]).toEqual([{}, []]);
});
