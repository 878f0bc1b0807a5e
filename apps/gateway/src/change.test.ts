// The actions edit and delete: what they make, that asking twice is asking once, and what they refuse, in the table's order.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hello } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { CommandBench, described } from "./fixtures/commands.ts";
import { textOnly } from "./fixtures/house.ts";

let commands: CommandBench;
let bench: Bench;

beforeAll(async () => {
  commands = await CommandBench.open("gateway_change");
  ({ bench } = commands);
});
afterAll(() => bench.house.close());

const change: CommandBench["call"] = (...asked) => commands.call(...asked);
const anew: CommandBench["anew"] = (...asked) => commands.anew(...asked);
const deliver: CommandBench["deliver"] = (outcome) => commands.deliver(outcome);
const sent = () => commands.sent();

test("an edit is a message of its own, free, that carries the new text to the same recipient", async () => {
  const id = await sent();
  const before = await bench.house.balance(bench.store);
  const { status, body } = await change("edit", { body: { id, message: "بعد" } });
  expect(status).toBe(200);
  expect(body).toEqual({
    ok: true,
    message_id: expect.stringMatching(/^msg_/),
    changes: id,
    channel: "tg",
    to: hello.to,
    status: "queued",
  });
  expect(await deliver("sent")).toMatchObject([{ text: "بعد", change: { kind: "edit" } }]);
  expect(await bench.house.balance(bench.store)).toEqual(before);
  const shown = await change("message", { method: "GET", query: `&id=${id}` });
  expect(shown.body["changes"]).toMatchObject([{ message_id: body["message_id"], status: "sent" }]);
  expect(shown.body["status"]).toBe("sent");
});

test("an edit of a message that still waits is sent behind it", async () => {
  const { body } = await bench.send();
  await change("edit", { body: { id: body["message_id"], message: "danach" } });
  expect(await deliver("sent")).toMatchObject([{ text: "hello" }]);
  expect(await deliver("sent")).toMatchObject([{ text: "danach" }]);
});

test("a deletion is made once, however often and however it is asked for", async () => {
  const id = await sent();
  const first = await change("delete", { body: { id } });
  const second = await change("delete", { query: `&id=${id}` });
  expect(second.body).toEqual(first.body);
  expect(await deliver("sent")).toHaveLength(1);
  expect(await deliver("sent")).toEqual([]);
  expect((await change("delete", { body: { id } })).body).toEqual({
    ...first.body,
    status: "sent",
  });
});

test("a deletion that the provider refused may be asked for again", async () => {
  const id = await sent();
  const first = await change("delete", { body: { id } });
  await deliver("rejected");
  const second = await change("delete", { body: { id } });
  expect(second.body["message_id"]).not.toBe(first.body["message_id"]);
  await deliver("sent");
});

test("the same Idempotency-Key gives the same edit; another text with it is a mismatch, another action too", async () => {
  const id = await sent();
  const headers = { "Idempotency-Key": "edit-18" };
  const first = await change("edit", { headers, body: { id, message: "once" } });
  const again = await change("edit", { headers, body: { id, message: "once" } });
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  for (const [action, body] of [
    ["edit", { id, message: "twice" }],
    ["delete", { id }],
  ] as const)
    bench.expectError(await change(action, { headers, body }), "idempotency_mismatch");
  expect(await deliver("sent")).toHaveLength(1);
});

test("many edits asked for at once are all made, one after the other", async () => {
  const id = await sent();
  const texts = Array.from({ length: 8 }, (_, n) => `edit ${n}`);
  const answers = await Promise.all(
    texts.map((message) => change("edit", { body: { id, message } })),
  );
  expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
  const made: unknown[] = [];
  for (const _ of texts) made.push(...(await deliver("sent")));
  expect(made.map((payload) => (payload as { text: string }).text).toSorted()).toEqual(texts);
});

describe("refusals", () => {
  test.each<[string, object, string, string]>([
    ["edit", { message: "x" }, "id", "'id' is missing."],
    ["edit", { id: "msg_1" }, "message", "'message' is missing."],
    ["edit", { id: "msg_1", message: " " }, "message", "Write the new text in 'message'."],
    ["edit", { id: "msg_1", text: "x" }, "message", "'message' is missing."],
    ["delete", {}, "id", "'id' is missing."],
    ["delete", { id: "msg_1", message: "x" }, "message", "Unknown field 'message'."],
  ])("%s with %j names '%s'", async (action, body, path, message) => {
    const answer = await change(action, { body });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toContainEqual({ path, message });
  });

  test.each(["msg_1", "nonsense", "msg_01JD0000000000000000000000"])(
    "%s is not found",
    async (id) => {
      bench.expectError(await change("delete", { body: { id } }), "not_found");
    },
  );

  test("another key's message is not found", async () => {
    const id = await sent();
    const { apiKey } = await bench.house.key(bench.store, { channels: ["tg"] });
    bench.expectError(await change("delete", { apiKey, body: { id } }), "not_found");
  });

  test("what was never sent, is scheduled, was deleted, or is a command itself can't be changed", async () => {
    const failed = String((await bench.send()).body["message_id"]);
    await deliver("rejected");
    const sendAt = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = await bench.send({ body: { ...hello, send_at: sendAt } });
    const deleted = await sent();
    const command = await change("delete", { body: { id: deleted } });
    await deliver("sent");
    for (const id of [failed, scheduled.body["message_id"], deleted, command.body["message_id"]]) {
      const answer = await change("edit", { body: { id, message: "x" } });
      bench.expectError(answer, "conflict");
    }
  });

  test("a channel that can't change what was sent says so", async () => {
    const id = await sent();
    await bench.house.describe("tg", textOnly);
    const answer = await anew("delete", { body: { id } });
    await bench.house.describe("tg", described);
    bench.expectError(answer, "capability_unsupported");
  });

  test("a key that lost the channel is refused", async () => {
    const { instanceId, apiKey } = await bench.house.key(bench.store, { channels: ["tg"] });
    const { body } = await bench.send({ apiKey });
    await deliver("sent");
    await bench.house.database.query({
      text: "UPDATE instances SET channels = '{fb}' WHERE id = $1",
      values: [instanceId],
    });
    const answer = await anew("delete", { apiKey, body: { id: body["message_id"] } });
    bench.expectError(answer, "channel_not_allowed");
  });

  test("GET is not allowed", async () => {
    const answer = await change("edit", { method: "GET", body: undefined });
    bench.expectError(answer, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("POST");
  });
});

describe("what send takes beside text and files", () => {
  test.each<[object, string]>([
    [{ buttons: [] }, "buttons"],
    [{ buttons: [{ title: "x" }] }, "buttons.0"],
    [{ buttons: [{ title: "x", id: "1", url: "https://a.example" }] }, "buttons.0"],
    [{ buttons: [{ title: " ", id: "1" }] }, "buttons.0.title"],
    [{ buttons: [{ title: "x", url: "ftp://a.example" }] }, "buttons.0.url"],
    [{ buttons: Array.from({ length: 11 }, () => ({ title: "x", id: "1" })) }, "buttons"],
    [{ location: { latitude: 91, longitude: 0 } }, "location.latitude"],
    [{ location: { latitude: 0 } }, "location.longitude"],
    [{ location: { latitude: 0, longitude: 0, zoom: 3 } }, "location.zoom"],
    [{ contact: { name: "", phones: ["1"] } }, "contact.name"],
    [{ contact: { name: "x", phones: [] } }, "contact.phones"],
    [{ contact: { name: "x", phones: ["call me"] } }, "contact.phones.0"],
    [{ reply_to: "18" }, "reply_to"],
  ])("%j is refused and named by its path", async (more, path) => {
    const answer = await bench.send({ body: { ...hello, ...more } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toContainEqual({ path, message: expect.any(String) });
  });

  test.each([
    { location: { latitude: 1, longitude: 2 } },
    { contact: { name: "x", phones: ["1234"] } },
    { buttons: [{ id: "1", title: "x" }] },
  ])("%j on a channel that can't carry it is refused", async (more) => {
    const answer = await bench.send({ body: { ...hello, ...more } });
    bench.expectError(answer, "capability_unsupported");
    expect(answer.body["details"]).toMatchObject([{ path: Object.keys(more)[0] }]);
  });

  test("an answer to a message of another conversation is refused", async () => {
    const id = await sent();
    const answer = await bench.send({ body: { ...hello, to: "700000009", reply_to: id } });
    bench.expectError(answer, "not_found");
    expect(answer.body["details"]).toMatchObject([{ path: "reply_to" }]);
    const own = await bench.send({ body: { ...hello, reply_to: id } });
    expect(own.status).toBe(200);
    expect(await deliver("sent")).toMatchObject([{ text: "hello", reply_to: expect.any(String) }]);
  });
});
