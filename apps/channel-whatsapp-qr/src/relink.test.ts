// A connection that was logged out: what is sent to it waits, the same number goes on with it, and no other number gets it.
import { askPairing, cancelPairing } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createConnector } from "./connector.ts";
import { zainab } from "./fixtures/linked.ts";
import { quick } from "./fixtures/pairing.ts";
import { World } from "./fixtures/world.ts";
import type { StoredConnection } from "./fixtures/world.ts";

let world: World;
/** Who scans each code that is shown. */
let scanner: string;
beforeAll(async () => {
  world = await World.create();
  const connector = createConnector(quick);
  const { pairing } = connector;
  if (pairing === undefined) throw new Error("It pairs.");
  await world.start({
    connector: {
      ...connector,
      pairing: {
        ...pairing,
        pair: (context, desk) =>
          pairing.pair(context, {
            ...desk,
            show(shown) {
              desk.show(shown);
              if (shown.kind === "qr") void world.standIn.scan({ phone: scanner, qr: shown.text });
            },
          }),
      },
    },
  });
});
afterAll(() => world.close());

async function pairWith(phone: string, { id, storeId }: StoredConnection): Promise<void> {
  scanner = phone;
  await cancelPairing(world.database, { storeId, connectionId: id });
  await askPairing(world.database, {
    storeId,
    connectionId: id,
    id: newId(),
    askedBy: "admin",
    phone: null,
    lastsSeconds: 60,
  });
}

let phones = 9_647_700_000_400;

/** A connection that takes any phone, paired with one of its own. */
async function paired(): Promise<StoredConnection> {
  const connection = await world.connect(String(++phones), { takesAny: true });
  await world.untilState([connection], "attention");
  await pairWith(connection.phone, connection);
  await world.untilState([connection], "connected");
  return connection;
}

async function loggedOut(): Promise<{ connection: StoredConnection; waiting: string }> {
  const connection = await paired();
  world.standIn.unlink({ phone: connection.phone });
  await untilReason(connection, "logged_out");
  return { connection, waiting: await world.queue(connection, zainab, connection.phone) };
}

const row = async ({ id }: StoredConnection) => {
  const { rows } = await world.database.query<{
    state: string;
    reason: { code: string; message: string } | null;
  }>({ text: "SELECT state, reason FROM connections WHERE id = $1", values: [id] });
  return rows[0];
};

async function untilReason(connection: StoredConnection, code: string): Promise<void> {
  await waitFor(async () => (await row(connection))?.reason?.code === code, {
    what: `the connection to say ${code}`,
    deadlineMs: 20_000,
  });
}

async function statusOf(messageId: string): Promise<string | undefined> {
  const { rows } = await world.database.query<{ status: string }>({
    text: "SELECT status FROM messages WHERE id = $1",
    values: [messageId],
  });
  return rows[0]?.status;
}

/** What the phone of Zainab shows of a connection's number. */
const shown = ({ phone }: StoredConnection) =>
  world.standIn
    .messages(zainab, phone)
    .flatMap(({ content }) => (content?.kind === "text" ? [content.text] : []));

test("what was sent to it waits, and goes out once the same number is paired again", async () => {
  const { connection, waiting } = await loggedOut();
  expect(await row(connection)).toMatchObject({
    state: "attention",
    reason: { message: expect.stringContaining("Messages wait. Pair it again") },
  });
  expect(await statusOf(waiting)).toBe("queued");
  await pairWith(connection.phone, connection);
  await world.untilState([connection], "connected");
  await world.untilSent([waiting]);
  expect(shown(connection)).toEqual([connection.phone]);
});

test("another number is refused in words and let go, and what waits is not sent from it", async () => {
  const { connection, waiting } = await loggedOut();
  const other = String(++phones);
  world.standIn.addPhone({ number: other });
  await pairWith(other, connection);
  await untilReason(connection, "paired_with_another_number");
  expect(await row(connection)).toMatchObject({
    state: "attention",
    reason: { message: expect.stringContaining("another phone") },
  });
  expect(world.standIn.phone(other).linked).toEqual([]);
  expect(await statusOf(waiting)).toBe("queued");
  await pairWith(connection.phone, connection);
  await world.untilSent([waiting]);
  expect(world.standIn.messages(zainab, other)).toEqual([]);
});

test("a number that is paired in another store is refused in words, and goes on there", async () => {
  const holder = await paired();
  const connection = await world.connect(String(++phones), { takesAny: true });
  await world.untilState([connection], "attention");
  await pairWith(holder.phone, connection);
  await untilReason(connection, "paired_in_another_store");
  expect((await row(connection))?.reason?.message).toContain("in another store");
  expect(world.standIn.phone(holder.phone).linked).toMatchObject([{ connected: true }]);
  await world.untilState([holder], "connected");
});
