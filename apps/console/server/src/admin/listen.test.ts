// The live events of a store: from a number on, without gap or repeat, and ended when the service stops.
import { insertEvents, numberEvents, storeShard } from "@thikaa/db";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, startConsole, tableId } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

let running: RunningConsole;
let storeId: string;
beforeAll(async () => {
  running = await startConsole();
  const made = await running.admin("POST", "/stores", { slug: "shop" });
  storeId = tableId("store", (made.body["store"] as { id: string }).id);
});
afterAll(() => running.stop());

async function cause(
  reference: string,
  options: { ring: boolean } = { ring: true },
): Promise<void> {
  const data = {
    message_id: "msg_1",
    client_reference: reference,
    channel: "tg",
    connection_id: "con_1",
    to: "1",
    status: "sent",
    final: true,
    reason: null,
    refunded: false,
    possible_duplicate: false,
  };
  await insertEvents(running.database, [
    { storeId, type: "message.status", channel: "tg", connectionId: null, instanceId: null, data },
  ]);
  const numbered = await numberEvents(running.database, storeShard(storeId), 100);
  if (!options.ring) return;
  for (const { events } of numbered)
    running.bus.ring({ ring: "event", to: [storeId] }, { store_id: storeId, events });
}

interface Listening {
  readonly received: { sequence: number; data: { client_reference: string } }[];
  readonly ended: Promise<void>;
  readonly close: () => void;
}

async function listen(query: string, headers: Record<string, string> = {}): Promise<Listening> {
  const closing = new AbortController();
  const answer = await fetch(`${running.url}/api/admin/v1/listen?${query}`, {
    headers: { Authorization: `Bearer ${adminToken}`, ...headers },
    signal: closing.signal,
  });
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const received: Listening["received"] = [];
  const read = async () => {
    let text = "";
    for await (const piece of answer.body ?? []) {
      text += new TextDecoder().decode(piece);
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) received.push(JSON.parse(data) as Listening["received"][number]);
      }
    }
  };
  return { received, ended: read().catch(() => {}), close: () => closing.abort() };
}

const texts = (listening: Listening) =>
  listening.received.map((event) => event.data.client_reference);

test("events come live and in order; without `after` from now on", async () => {
  await cause("before");
  const listening = await listen("store=shop");
  const began = performance.now();
  for (const text of ["one", "two", "three", "four"]) {
    await cause(text);
    await waitFor(() => texts(listening).includes(text), { what: text });
  }
  expect(texts(listening)).toEqual(["one", "two", "three", "four"]);
  // By the poll alone each would take its second.
  expect(performance.now() - began).toBeLessThan(3_000);
  listening.close();
});

test("with `after`, or Last-Event-ID, everything since that number comes, nothing twice, while more arrives", async () => {
  const first = await listen("store=shop&after=0");
  await Promise.all(Array.from({ length: 120 }, (_, index) => cause(`burst ${index}`)));
  await waitFor(() => first.received.length === 125, { what: "all events" });
  expect(first.received.map((event) => event.sequence)).toEqual(
    Array.from({ length: 125 }, (_, index) => index + 1),
  );
  const second = await listen("store=shop", { "Last-Event-ID": "123" });
  await waitFor(() => second.received.length === 2, { what: "the last two events" });
  expect(second.received.map((event) => event.sequence)).toEqual([124, 125]);
  first.close();
  second.close();
});

test("a ring that was lost costs a second at most", async () => {
  const listening = await listen("store=shop");
  await cause("silent", { ring: false });
  await waitFor(() => texts(listening).includes("silent"), {
    what: "the event without a ring",
    deadlineMs: 2_500,
  });
  listening.close();
});

test.each([
  ["", 400],
  ["store=none", 404],
  ["store=shop&after=x", 400],
  ["store=shop&afer=1", 400],
])("?%s is %i", async (query, status) => {
  expect((await running.admin("GET", `/listen?${query}`)).status).toBe(status);
});

test("open streams end when the service stops, and it stops quickly", async () => {
  const other = await startConsole();
  await other.admin("POST", "/stores", { slug: "shop" });
  const answer = await fetch(`${other.url}/api/admin/v1/listen?store=shop`, {
    headers: { Authorization: `Bearer ${adminToken}` },
  });
  const began = performance.now();
  const [text] = await Promise.all([answer.text(), other.stop()]);
  expect(text).toContain(": events of shop");
  expect(performance.now() - began).toBeLessThan(4_000);
});
