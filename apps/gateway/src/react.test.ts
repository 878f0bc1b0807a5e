// The actions react and read: what they make of messages of either side, that asking twice is asking once, and what they refuse.
import { limits, newId } from "@thikaa/schema";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hello } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { CommandBench, described } from "./fixtures/commands.ts";
import type { Answer } from "./fixtures/house.ts";

let commands: CommandBench;
let bench: Bench;

beforeAll(async () => {
  commands = await CommandBench.open("gateway_react");
  ({ bench } = commands);
});
afterAll(() => bench.house.close());

const react = (messageId: unknown, emoji: string | null): Promise<Answer> =>
  commands.call("react", { body: { message_id: messageId, emoji } });
const read = (messageId: unknown): Promise<Answer> =>
  commands.call("read", { body: { message_id: messageId } });

/** The change that a payload carries out. */
const changes = (payloads: unknown[]) =>
  payloads.map((payload) => (payload as { change?: unknown }).change);

describe("react", () => {
  test("a reaction to a customer's message is a message of its own, free, to the same recipient", async () => {
    const { id } = await commands.received();
    const before = await bench.house.balance(bench.store);
    const { status, body } = await react(id, "👍");
    expect(status).toBe(200);
    expect(body).toEqual({
      ok: true,
      message_id: expect.stringMatching(/^msg_/),
      changes: id,
      channel: "tg",
      to: hello.to,
      status: "queued",
    });
    expect(changes(await commands.deliver("sent"))).toMatchObject([{ kind: "react", emoji: "👍" }]);
    expect(await bench.house.balance(bench.store)).toEqual(before);
    const query = `&id=${String(body["message_id"])}`;
    const told = await commands.call("message", { query });
    expect(told.body).toMatchObject({ status: "sent", final: true, price: 0 });
  });

  test("a message of the key's own that still waits is reacted to behind it, and tells of it", async () => {
    const { body: message } = await bench.send();
    const id = message["message_id"];
    const { body } = await react(id, "❤️");
    expect(changes(await commands.deliver("sent"))).toEqual([undefined]);
    expect(changes(await commands.deliver("sent"))).toMatchObject([{ kind: "react" }]);
    const told = await commands.call("message", { query: `&id=${String(id)}` });
    expect(told.body).toMatchObject({
      status: "sent",
      changes: [{ message_id: body["message_id"], kind: "react", status: "sent" }],
    });
    expect(told.body["timeline"]).toContainEqual(
      expect.objectContaining({
        status: "reacted",
        text: `Reacted to by ${String(body["message_id"])}.`,
      }),
    );
  });

  test.each(["", null])("%j takes the reaction back", async (emoji) => {
    const { id } = await commands.received();
    await react(id, emoji);
    expect(changes(await commands.deliver("sent"))).toMatchObject([{ kind: "react", emoji: null }]);
  });

  test("the same Idempotency-Key gives the same reaction; another emoji with it is a mismatch, another action too", async () => {
    const { id } = await commands.received();
    const headers = { "Idempotency-Key": "react-18" };
    const once = (emoji: string) =>
      commands.call("react", { headers, body: { message_id: id, emoji } });
    const first = await once("👍");
    const again = await once("👍");
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    bench.expectError(await once("👎"), "idempotency_mismatch");
    const other = await commands.call("read", { headers, body: { message_id: id } });
    bench.expectError(other, "idempotency_mismatch");
    expect(await commands.deliver("sent")).toHaveLength(1);
  });

  test("what was deleted, is scheduled, was never sent, or is a command or a reaction itself can't be reacted to", async () => {
    const own = await commands.sent();
    await commands.call("delete", { body: { id: own } });
    await commands.deliver("sent");
    const failed = String((await bench.send()).body["message_id"]);
    await commands.deliver("rejected");
    const sendAt = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = await bench.send({ body: { ...hello, send_at: sendAt } });
    const gone = await commands.received();
    await commands.received({ type: "delete", providerId: gone.providerId });
    const reaction = await commands.received({ type: "reaction" });
    const nameless = await commands.received({ providerId: null });
    const target = await commands.received();
    const { body: command } = await react(target.id, "👍");
    await commands.deliver("sent");
    const refusals: [unknown, RegExp][] = [
      [own, /was deleted/],
      [failed, /is failed/],
      [scheduled.body["message_id"], /not sent yet/],
      [gone.id, /was deleted/],
      [reaction.id, /is a reaction/],
      [nameless.id, /no id/],
      [command["message_id"], /is a command/],
    ];
    for (const [id, why] of refusals) {
      const answer = await react(id, "👍");
      bench.expectError(answer, "conflict");
      expect(answer.body["message"]).toMatch(why);
    }
  });

  test("a deletion of another conversation's message with the same id at the provider stands in nobody's way", async () => {
    const { id, providerId } = await commands.received();
    await commands.received({ type: "delete", providerId, address: "700000009" });
    expect((await react(id, "👍")).status).toBe(200);
    await commands.deliver("sent");
  });
});

describe("read", () => {
  let conversationId: string;
  beforeEach(() => {
    conversationId = newId();
  });
  const said = (type = "text") => commands.received({ type, conversationId });

  async function marked(messageId: string): Promise<unknown> {
    const { status } = await read(messageId);
    expect(status).toBe(200);
    const [change] = changes(await commands.deliver("sent"));
    return (change as { provider_message_ids?: unknown }).provider_message_ids;
  }

  test("a mark names the message and those before it that are not marked yet, of its conversation alone", async () => {
    const [first, second] = [await said(), await said("image")];
    await commands.received();
    const third = await said();
    expect(await marked(second.id)).toEqual([first.providerId, second.providerId]);
    expect(await marked(third.id)).toEqual([third.providerId]);
  });

  test("reactions, edits and deletions between them are not named", async () => {
    const first = await said();
    for (const type of ["reaction", "edit", "delete"]) await said(type);
    const last = await said();
    expect(await marked(last.id)).toEqual([first.providerId, last.providerId]);
    const edited = await said("edit");
    expect(await marked(edited.id)).toEqual([edited.providerId]);
  });

  test(`no more than ${limits.readAtOnce} are named: the newest`, async () => {
    const all: string[] = [];
    for (let n = 0; n < limits.readAtOnce + 3; n++) all.push((await said()).providerId);
    const last = await said();
    expect(await marked(last.id)).toEqual([...all, last.providerId].slice(-limits.readAtOnce));
  });

  test("a mark that failed marked nothing: the next one names it all", async () => {
    const [first, second] = [await said(), await said()];
    await read(first.id);
    await commands.deliver("rejected");
    expect(await marked(second.id)).toEqual([first.providerId, second.providerId]);
  });

  test("a message is marked once, however often it is asked for; by each key for itself", async () => {
    const { id } = await said();
    const first = await read(id);
    const second = await commands.call("read", { query: `&message_id=${id}` });
    expect(second.body).toEqual(first.body);
    expect(await commands.deliver("sent")).toHaveLength(1);
    expect((await read(id)).body).toEqual({ ...first.body, status: "sent" });
    const { apiKey } = await bench.house.key(bench.store, { channels: ["tg"] });
    const others = await commands.call("read", { apiKey, body: { message_id: id } });
    expect(others.body["message_id"]).not.toBe(first.body["message_id"]);
    expect(await commands.deliver("sent")).toHaveLength(1);
  });

  test("what the key sent itself can't be marked, nor what the provider has no id of", async () => {
    const nameless = await commands.received({ conversationId, providerId: null });
    for (const id of [await commands.sent(), nameless.id])
      bench.expectError(await read(id), "conflict");
  });
});

describe("refusals of both", () => {
  test.each<[string, object, string, string]>([
    ["react", { emoji: "👍" }, "message_id", "'message_id' is missing."],
    ["react", { message_id: "msg_1" }, "emoji", "'emoji' is missing."],
    ["react", { message_id: "msg_1", emoji: "👍👍" }, "emoji", "'emoji': Give one emoji, or"],
    ["react", { message_id: "msg_1", emoji: "ok" }, "emoji", "'emoji': Give one emoji, or"],
    ["react", { message_id: "msg_1", emoji: 1 }, "emoji", "'emoji': "],
    ["react", { id: "msg_1", emoji: "👍" }, "id", "Unknown field 'id'."],
    ["read", {}, "message_id", "'message_id' is missing."],
    ["read", { message_id: "msg_1", emoji: "👍" }, "emoji", "Unknown field 'emoji'."],
  ])("%s with %j names '%s'", async (action, body, path, message) => {
    const answer = await commands.call(action, { body });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toContainEqual({
      path,
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ["react", "reactions"],
    ["read", "read"],
  ] as const)("%s on a channel without '%s' is unsupported", async (action, missing) => {
    const { id } = await commands.received();
    const features = (described.features ?? []).filter((feature) => feature !== missing);
    await bench.house.describe("tg", { ...described, features });
    const body = { message_id: id, ...(action === "react" && { emoji: "👍" }) };
    const answer = await commands.anew(action, { body });
    await bench.house.describe("tg", described);
    bench.expectError(answer, "capability_unsupported");
  });

  test.each([
    ["edit", { message: "x" }],
    ["delete", {}],
  ])("what came in is not found by %s", async (action, rest) => {
    const { id } = await commands.received();
    bench.expectError(await commands.call(action, { body: { id, ...rest } }), "not_found");
  });

  test.each(["react", "read"])("%s of what a key may not name", async (action) => {
    const rest = action === "react" ? { emoji: "👍" } : {};
    const asked = async (apiKey: string, id: string) =>
      commands.call(action, { apiKey, body: { message_id: id, ...rest } });
    const { id } = await commands.received();
    const sentByOther = await commands.sent();
    const sibling = await bench.house.key(bench.store, { channels: ["tg"] });
    bench.expectError(await asked(sibling.apiKey, sentByOther), "not_found");
    expect((await asked(sibling.apiKey, id)).status).toBe(200);
    await commands.deliver("sent");
    const otherChannel = await bench.house.key(bench.store, { channels: ["wd"] });
    bench.expectError(await asked(otherChannel.apiKey, id), "channel_not_allowed");
    const store = await bench.house.store();
    const { apiKey } = await bench.house.key(store, { channels: ["tg"] });
    const body = { message_id: id, ...rest };
    const answer = await commands.call(action, { store: store.slug, apiKey, body });
    bench.expectError(answer, "not_found");
  });
});
