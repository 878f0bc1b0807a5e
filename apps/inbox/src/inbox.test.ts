// The inbox: what came in becomes contact, conversation, message and numbered event, once and in order, whoever dies meanwhile.
import { toWireId } from "@thikaa/schema";
import type { Service } from "@thikaa/runtime";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, said } from "./fixtures/house.ts";

let house: House;
let inbox: Service;

beforeAll(async () => {
  house = await House.open("inbox");
  inbox = await house.inbox();
  await waitFor(() => inbox.ready(), { what: "the inbox" });
});

afterAll(() => house.close());

test("a person's text becomes an event with every field of the contract", async () => {
  const connection = await house.connection();
  await house.receive(connection, {
    key: "1",
    thread: "700000001",
    converted: said("700000001", "كم السعر؟"),
  });
  const [event] = await waitFor(async () => nonEmpty(await house.events(connection)), {
    what: "the event",
  });
  expect(event).toMatchObject({
    event: "message.received",
    sequence: 1,
    version: 1,
    data: {
      channel: "tg",
      connection_id: toWireId("connection", connection.id),
      from: "700000001",
      to: "bot-store-1",
      type: "text",
      message: "كم السعر؟",
      media_url: null,
      media: [],
      button: null,
      edited: false,
      contact: { name: "name of 700000001", phone: null, locale: "ar" },
    },
  });
  expect(Object.keys(event?.data ?? {})).toEqual([
    "message_id",
    "channel",
    "connection_id",
    "conversation_id",
    "from",
    "to",
    "contact",
    "author",
    "type",
    "raw_type",
    "message",
    "media_url",
    "media_type",
    "media",
    "button",
    "location",
    "contacts",
    "reaction",
    "reply_to",
    "refers_to",
    "album_id",
    "edited",
    "provider_message_id",
    "sent_at",
    "received_at",
  ]);
});

test("a repeat of the provider is one message, also after the first one was finished", async () => {
  const connection = await house.connection();
  const item = { key: "7", thread: "a", converted: said("a", "once") };
  expect(await house.receive(connection, item)).toBe(true);
  await waitFor(async () => nonEmpty(await house.events(connection)), { what: "the event" });
  expect(await house.receive(connection, item)).toBe(false);
  await house.receive(connection, { key: "8", thread: "a", converted: said("a", "twice") });
  await waitFor(async () => (await house.events(connection)).length === 2, {
    what: "the second event",
  });
  expect(await texts(connection)).toEqual(["once", "twice"]);
});

test("order holds within a conversation, numbers have no gap, and contacts are one a person", async () => {
  const connection = await house.connection();
  const people = ["a", "b", "c", "d"];
  for (let n = 0; n < 60; n++) {
    const person = people[n % people.length] ?? "a";
    await house.receive(connection, {
      key: `k${n}`,
      thread: person,
      converted: said(person, `${person}${String(n).padStart(3, "0")}`),
    });
  }
  await waitFor(async () => (await house.events(connection)).length === 60, { what: "60 events" });
  const events = await house.events(connection);
  expect(events.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
  for (const person of people) {
    const own = (await texts(connection)).filter((text) => text.startsWith(person));
    expect(own).toEqual(own.toSorted());
    expect(own).toHaveLength(15);
  }
  const { rows } = await house.database.query<{ contacts: number; conversations: number }>({
    text: "SELECT (SELECT count(*)::int FROM contacts WHERE connection_id = $1) AS contacts, (SELECT count(*)::int FROM conversations WHERE connection_id = $1) AS conversations",
    values: [connection.id],
  });
  expect(rows[0]).toEqual({ contacts: 4, conversations: 4 });
});

test("a notice is kept whole and makes no message", async () => {
  const connection = await house.connection();
  await house.receive(connection, {
    key: "n",
    thread: "a",
    converted: { kind: "notice", reason: "blocked", raw_type: "my_chat_member" },
  });
  const kept = await waitFor(async () => (await unrouted(connection.id))[0], {
    what: "the kept notice",
  });
  expect(kept).toEqual({ reason: "blocked", raw: '"n"' });
  expect(await house.events(connection)).toEqual([]);
});

test("an item that can't be finished is taken aside, whole, and nothing waits behind it", async () => {
  const connection = await house.connection();
  // A contact whose address no index can hold: PostgreSQL refuses the row, however often it is tried.
  const impossible = Array.from({ length: 3_000 }, (_, n) =>
    String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)),
  ).join("");
  await house.receive(connection, {
    key: "bad",
    thread: "bad",
    converted: said(impossible, "bad"),
  });
  await house.receive(connection, { key: "good", thread: "good", converted: said("good", "good") });
  await waitFor(async () => (await texts(connection)).includes("good"), {
    what: "the item behind it",
  });
  expect(await unrouted(connection.id)).toEqual([{ reason: "not_finished", raw: '"bad"' }]);
});

test("a second inbox takes its share, and takes over what a stopped one held, losing nothing", async () => {
  const connection = await house.connection();
  const second = await house.inbox();
  await waitFor(() => second.ready(), { what: "the second inbox" });
  let n = 0;
  const receiveSome = async () => {
    for (let more = 0; more < 20; more++)
      await house.receive(connection, {
        key: `s${++n}`,
        thread: `t${n % 5}`,
        converted: said(`t${n % 5}`, `s${String(n).padStart(3, "0")}`),
      });
  };
  await receiveSome();
  const stopping = second.stop();
  await receiveSome();
  await stopping;
  await receiveSome();
  await waitFor(async () => (await house.events(connection)).length === 60, { what: "60 events" });
  expect(new Set(await texts(connection)).size).toBe(60);
  expect((await house.events(connection)).map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
});

function nonEmpty<Value>(values: Value[]): Value[] | null {
  return values.length === 0 ? null : values;
}

async function texts(connection: { storeId: string; id: string }): Promise<string[]> {
  return (await house.events(connection)).flatMap((event) =>
    event.event === "message.received" && event.data.message !== null ? [event.data.message] : [],
  );
}

async function unrouted(connectionId: string): Promise<{ reason: string; raw: string }[]> {
  const { rows } = await house.database.query<{ reason: string; raw: Buffer }>({
    text: "SELECT reason, raw FROM inbound_unrouted WHERE connection_id = $1",
    values: [connectionId],
  });
  return rows.map(({ reason, raw }) => ({ reason, raw: raw.toString() }));
}
