// Commands about messages on Telegram: edits, deletions and reactions, and every field of the calls that Telegram gets for them.
import { startWebhookSink } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jpeg, WholeLine, zainab } from "./fixtures/whole-line.ts";

let line: WholeLine;
/** Has the pictures. */
let web: WebhookSink;
beforeAll(async () => {
  line = await WholeLine.open();
  web = await startWebhookSink();
  web.answer(() => ({ headers: { "content-type": "image/jpeg" }, body: jpeg }));
}, 60_000);
afterAll(async () => {
  await line?.close();
  await web?.close();
});

const to = String(zainab.id);
const long = "كلمة ".repeat(2_000).trim();

describe("edits and deletions", () => {
  const onPhone = (id: number) =>
    line.telegram.messagesWith(zainab.id, line.bot.id).find(({ wire }) => wire.message_id === id)
      ?.wire;
  const idsOf = async (id: string): Promise<number[]> => {
    const { parts } = await line.until(id, "sent");
    return (parts as { provider_message_id: string }[]).map((part) =>
      Number(part.provider_message_id),
    );
  };
  const lastCall = () =>
    line.telegram.record
      .calls({ accepted: true })
      .findLast(({ method }) => method !== "getUpdates");

  test("an edit changes the words and keeps the buttons; the message tells of it", async () => {
    const buttons = [{ id: "a", title: "أ" }];
    const id = await line.sent("send", { channel: "tg", to, message: "قبل", buttons });
    const [messageId = 0] = await idsOf(id);
    const command = await line.sent("edit", { id, message: "بعد" });
    expect(lastCall()).toMatchObject({ method: "editMessageText" });
    expect(lastCall()?.parameters).toEqual({
      chat_id: to,
      message_id: messageId,
      text: "بعد",
      reply_markup: { inline_keyboard: [[{ text: "أ", callback_data: "a" }]] },
    });
    const told = await line.until(id, "sent");
    expect(told["changes"]).toEqual([
      { message_id: command, kind: "edit", status: "sent", created_at: expect.any(String) },
    ]);
    expect(told["timeline"]).toContainEqual(
      expect.objectContaining({ status: "edited", text: `Edited by ${command}.` }),
    );
    expect(await line.until(command, "sent")).toMatchObject({ price: 0, final: true });
  });

  test("the same words again count as done", async () => {
    const id = await line.sent("send", { channel: "tg", to, message: "مرة" });
    await line.sent("edit", { id, message: "مرتين" });
    const again = await line.sent("edit", { id, message: "مرتين" });
    expect(await line.until(again, "sent")).toMatchObject({ final: true, reason: null });
  });

  test("a caption is edited where the words are a caption", async () => {
    const id = await line.sent("send", {
      channel: "tg",
      to,
      message: "قديم",
      media_url: `${web.url}/a.jpg?3`,
      media_type: "photo",
    });
    const [messageId = 0] = await idsOf(id);
    await line.sent("edit", { id, message: "جديد" });
    expect(lastCall()?.method).toBe("editMessageCaption");
    expect(onPhone(messageId)?.caption).toBe("جديد");
  });

  test("a long text that becomes short loses its other pieces; a longer one is refused", async () => {
    const id = await line.sent("send", { channel: "tg", to, message: long });
    const [first = 0, second = 0, third = 0] = await idsOf(id);
    const { body } = await line.call("edit", { id, message: `${long} ${long}` });
    expect(await line.until(String(body["message_id"]), "failed")).toMatchObject({
      reason: { code: "edit_too_long" },
    });
    await line.sent("edit", { id, message: "قصير" });
    expect(onPhone(first)?.text).toBe("قصير");
    expect([onPhone(second), onPhone(third)]).toEqual([undefined, undefined]);
  });

  test("a deletion takes every part back, once however often it is asked for", async () => {
    const id = await line.sent("send", { channel: "tg", to, message: long });
    const ids = await idsOf(id);
    const command = await line.sent("delete", { id });
    expect(ids.map(onPhone)).toEqual([undefined, undefined, undefined]);
    const again = await line.call("delete", { id });
    expect(again.body).toMatchObject({ message_id: command, changes: id, status: "sent" });
    expect((await line.call("edit", { id, message: "؟" })).body).toMatchObject({
      error: "conflict",
    });
    const told = await line.until(id, "sent");
    expect(told["timeline"]).toContainEqual(
      expect.objectContaining({ status: "deleted", text: `Deleted by ${command}.` }),
    );
  });

  test("what is too old to be deleted is refused with the reason", async () => {
    const id = await line.sent("send", { channel: "tg", to, message: "قديم" });
    line.telegram.faults.add({
      kind: "error",
      status: 400,
      description: "Bad Request: message can't be deleted",
      method: "deleteMessage",
    });
    const { body } = await line.call("delete", { id });
    expect(await line.until(String(body["message_id"]), "failed")).toMatchObject({
      reason: { code: "message_not_changeable" },
    });
  });
});

describe("reactions", () => {
  const stored = (id: number) =>
    line.telegram.messagesWith(zainab.id, line.bot.id).find(({ wire }) => wire.message_id === id);
  const reactionCalls = (after: number) =>
    line.telegram.record
      .calls({ after, method: "setMessageReaction" })
      .map(({ parameters, accepted }) => ({ ...parameters, accepted }));
  const now = () => line.telegram.record.calls().at(-1)?.n ?? 0;

  /** What Zainab writes, by its id at Telegram and by ours. */
  async function asked(text: string): Promise<{ at: number; id: string }> {
    const { messageId } = line.telegram.personSays({
      personId: zainab.id,
      botId: line.bot.id,
      text,
    });
    const [event] = await line.told(1);
    return { at: messageId, id: event?.event === "message.received" ? event.data.message_id : "" };
  }

  test("a customer's message gets one, another one, and none; each call has exactly these fields", async () => {
    const { at, id } = await asked("شكرًا");
    const after = now();
    for (const emoji of ["👍", "❤️", "❤️", ""]) await line.sent("react", { message_id: id, emoji });
    const call = { chat_id: to, message_id: at, accepted: true };
    const heart = { ...call, reaction: [{ type: "emoji", emoji: "❤" }] };
    expect(reactionCalls(after)).toEqual([
      { ...call, reaction: [{ type: "emoji", emoji: "👍" }] },
      heart,
      heart,
      { ...call, reaction: [] },
    ]);
    expect(stored(at)?.botReaction).toBeNull();
  });

  test("of a message of ours the first part gets it, once it is sent, and the message tells of it", async () => {
    const { body } = await line.call("send", { channel: "tg", to, message: long });
    const id = String(body["message_id"]);
    const command = await line.sent("react", { message_id: id, emoji: "🎉" });
    const { parts, changes } = await line.until(id, "sent");
    const [first, second] = parts as { provider_message_id: string }[];
    expect(stored(Number(first?.provider_message_id))?.botReaction).toBe("🎉");
    expect(stored(Number(second?.provider_message_id))?.botReaction).toBeUndefined();
    expect(changes).toMatchObject([{ message_id: command, kind: "react", status: "sent" }]);
    expect(await line.until(command, "sent")).toMatchObject({ price: 0, final: true });
  });

  test("an emoji that Telegram does not know, and a message that is gone there, fail with the reason", async () => {
    const { id } = await asked("؟");
    const sent = await line.sent("send", { channel: "tg", to, message: "x" });
    line.telegram.faults.add({
      kind: "error",
      status: 400,
      description: "Bad Request: message to react not found",
      method: "setMessageReaction",
    });
    const failures = [
      [sent, "👍", "message_not_changeable"],
      [id, "🧃", "reaction_not_available"],
    ] as const;
    for (const [message_id, emoji, code] of failures) {
      const { body } = await line.call("react", { message_id, emoji });
      expect(await line.until(String(body["message_id"]), "failed")).toMatchObject({
        reason: { code },
      });
    }
  });

  test("that a message was read can't be told", async () => {
    const { id } = await asked("!");
    expect(await line.call("read", { message_id: id })).toMatchObject({
      status: 422,
      body: { error: "capability_unsupported" },
    });
  });
});
