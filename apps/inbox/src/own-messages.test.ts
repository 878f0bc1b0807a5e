// What the provider tells of our own messages: receipts and echoes of what was sent through us, and what the store's people wrote elsewhere.
import { saveChannelDescription } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import type { Converted, MessageStatusData } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, receipt, said, wrote } from "./fixtures/house.ts";
import type { TestConnection } from "./fixtures/house.ts";

let house: House;
let lastKey = 0;

beforeAll(async () => {
  house = await House.open("inbox_own");
  await saveChannelDescription(house.database, "tg", {
    capabilities: {
      text: { maxLength: 100, unit: "utf16" },
      media: [],
      receipts: "read",
      firstMessage: true,
      windowHours: null,
    },
    credentials: [],
  });
  const inbox = await house.inbox();
  await waitFor(() => inbox.ready(), { what: "the inbox" });
});

afterAll(() => house.close());

function receive(connection: TestConnection, converted: Converted): Promise<boolean> {
  return house.receive(connection, { key: `k${++lastKey}`, thread: "amina", converted });
}

/** What `message.status` told on a connection, oldest first. */
async function told(connection: TestConnection): Promise<MessageStatusData[]> {
  const events = await house.events(connection);
  return events.flatMap((event) => (event.event === "message.status" ? [event.data] : []));
}

async function untilTold(connection: TestConnection, statuses: readonly string[]): Promise<void> {
  await waitFor(
    async () => (await told(connection)).map(({ status }) => status).join() === statuses.join(),
    { what: `the statuses ${statuses.join(", ")}` },
  );
}

/** How many items of a connection wait for what they tell of. */
async function parked({ id }: TestConnection): Promise<number> {
  const { rows } = await house.database.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM inbound_items WHERE connection_id = $1 AND parked",
    values: [id],
  });
  return rows[0]?.count ?? 0;
}

/** The items of a connection have waited for this long. */
async function age({ id }: TestConnection, interval: string): Promise<void> {
  await house.database.query({
    text: "UPDATE inbound_items SET received_at = received_at - $2::interval, due_at = now() WHERE connection_id = $1",
    values: [id, interval],
  });
}

test("receipts move a message that was sent through us, and a repeat tells nothing new", async () => {
  const connection = await house.connection();
  await house.endSend(await house.beginSend(connection, "amina"), "one");
  await receive(connection, receipt(["one"], "delivered"));
  await untilTold(connection, ["queued", "sent", "delivered"]);
  await receive(connection, receipt(["one"], "read"));
  await receive(connection, receipt(["one"], "delivered"));
  await receive(connection, said("amina", "thanks"));
  await waitFor(
    async () => (await house.events(connection)).some(({ event }) => event === "message.received"),
    { what: "what came behind the receipts" },
  );
  expect((await told(connection)).map(({ status, final }) => [status, final])).toEqual([
    ["queued", false],
    ["sent", false],
    ["delivered", false],
    ["read", true],
  ]);
});

test("a receipt that comes before its send has ended is found again, and nothing waits for it meanwhile", async () => {
  const connection = await house.connection();
  const attempt = await house.beginSend(connection, "amina");
  await receive(connection, receipt(["early"], "delivered"));
  await waitFor(async () => (await parked(connection)) === 1, { what: "the receipt to be parked" });
  // Looked at again in some seconds only.
  await age(connection, "30 seconds");
  await waitFor(() => isLookedAtAgain(connection), { what: "another look at it" });
  await receive(connection, said("amina", "a customer's word"));
  await waitFor(
    async () => (await house.events(connection)).some(({ event }) => event === "message.received"),
    { what: "the customer's word" },
  );
  expect(await parked(connection)).toBe(1);
  await house.endSend(attempt, "early");
  // Also so long after: by itself, within seconds.
  await untilTold(connection, ["queued", "sent", "delivered"]);
  expect(await parked(connection)).toBe(0);
});

test("a receipt that nobody can match is waited for a minute, then dropped", async () => {
  const connection = await house.connection();
  await receive(connection, receipt(["nobody's"], "read"));
  await waitFor(async () => (await parked(connection)) === 1, { what: "the receipt to be parked" });
  await age(connection, "30 seconds");
  await waitFor(() => isLookedAtAgain(connection), {
    what: "another look at it",
  });
  expect(await parked(connection)).toBe(1);
  await age(connection, "31 seconds");
  await waitFor(async () => (await parked(connection)) === 0, {
    what: "the receipt to be dropped",
  });
  const { rowCount } = await house.database.query({
    text: "SELECT 1 FROM inbound_unrouted WHERE connection_id = $1",
    values: [connection.id],
  });
  expect([rowCount, await house.events(connection)]).toEqual([0, []]);
});

async function isLookedAtAgain({ id }: TestConnection): Promise<boolean> {
  const { rowCount } = await house.database.query({
    text: "SELECT 1 FROM inbound_items WHERE connection_id = $1 AND due_at > now()",
    values: [id],
  });
  return rowCount === 1;
}

test("what was sent through us and comes back is no message, also when it comes before its send has ended", async () => {
  const connection = await house.connection();
  const attempt = await house.beginSend(connection, "amina");
  await receive(connection, wrote("amina", "echo"));
  await waitFor(async () => (await parked(connection)) === 1, { what: "the echo to be parked" });
  await house.endSend(attempt, "echo");
  await waitFor(async () => (await parked(connection)) === 0, { what: "the echo to be known" });
  await receive(connection, wrote("amina", "echo"));
  await receive(connection, wrote("amina", "by hand"));
  await untilTold(connection, ["queued", "sent", "sent"]);
  expect((await told(connection)).map(({ content }) => content?.message)).toEqual([
    undefined,
    undefined,
    "by hand",
  ]);
});

test("what the store's own people wrote is an outbound message of the conversation that costs nothing", async () => {
  const connection = await house.connection();
  await receive(connection, said("amina", "a question"));
  await receive(connection, { ...wrote("amina", "جواب من الهاتف"), reply_to: "a question" });
  await receive(connection, wrote("amina", "جواب من الهاتف"));
  await untilTold(connection, ["sent"]);
  const [question, answer] = await house.events(connection);
  if (question?.event !== "message.received" || answer?.event !== "message.status")
    throw new Error("The events are of other types.");
  const { contact, conversation_id: conversationId, message_id: questionId } = question.data;
  expect(answer.data).toMatchObject({
    to: "amina",
    status: "sent",
    final: false,
    origin: "device",
    client_reference: null,
    connection_id: toWireId("connection", connection.id),
    content: {
      conversation_id: conversationId,
      contact: { id: contact.id },
      type: "text",
      message: "جواب من الهاتف",
      media: [],
      reply_to: questionId,
      provider_message_id: "جواب من الهاتف",
    },
  });
  const { rows } = await house.database.query({
    text: "SELECT direction, origin, price_micro, address FROM messages WHERE connection_id = $1 AND origin = 'device'",
    values: [connection.id],
  });
  expect(rows).toEqual([{ direction: "out", origin: "device", price_micro: 0, address: "amina" }]);
  await receive(connection, receipt(["جواب من الهاتف"], "read"));
  await untilTold(connection, ["sent", "read"]);
  expect((await told(connection))[1]).toMatchObject({ origin: "device", final: true });
});

test("in a group the contact is whoever wrote, and an answer goes to the group", async () => {
  const connection = await house.connection();
  for (const author of ["amina", "basim", "amina"])
    await receive(connection, { ...said("the group", `${author} writes`), author });
  const events = await waitFor(
    async () => {
      const found = await house.events(connection);
      return found.length === 3 ? found : null;
    },
    { what: "the three events" },
  );
  const data = events.flatMap((event) => (event.event === "message.received" ? [event.data] : []));
  expect(data.map(({ from, author }) => [from, author])).toEqual([
    ["the group", "amina"],
    ["the group", "basim"],
    ["the group", "amina"],
  ]);
  expect(new Set(data.map(({ contact }) => contact.id)).size).toBe(2);
  expect(data[0]?.contact.id).toBe(data[2]?.contact.id);
  expect(new Set(data.map(({ conversation_id: id }) => id)).size).toBe(1);
  const { rows } = await house.database.query({
    text: "SELECT address FROM conversations WHERE connection_id = $1",
    values: [connection.id],
  });
  expect(rows).toEqual([{ address: "the group" }]);
});
