// Reactions and marks of reading: what WhatsApp is told of which message, that doing it twice is doing it once, and the account's privacy.
import { newId } from "@thikaa/schema";
import type { MemoryContext } from "@thikaa/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Linked, shop, zainab } from "../fixtures/linked.ts";

let linked: Linked;
/** What the house knows of messages, by their ids. */
const known = new Map<string, Awaited<ReturnType<MemoryContext["message"]>>>();
beforeEach(async () => {
  linked = await Linked.open({
    timing: { acknowledgeMs: 1_000, privacyMs: 0 },
    through: () => ({ message: (id) => Promise.resolve(known.get(id) ?? null) }),
  });
});
afterEach(() => linked.close());

const lid = () => linked.standIn.phone(zainab).lid;
const shown = (id: string) =>
  linked.standIn.messages(zainab, shop).find(({ messageId }) => messageId === id);

/** A message of Zainab's, as the house knows it. */
async function said(text: string): Promise<{ id: string; providerId: string }> {
  const providerId = await linked.says(zainab, text);
  await linked.untilTexts([text]);
  await linked.standIn.settled(shop);
  const id = newId();
  known.set(id, {
    pending: false,
    parts: [{ payload: null, providerMessageId: providerId }],
  });
  return { id, providerId };
}

/** A message of ours in two parts, as the house knows it. */
async function sent(): Promise<{ id: string; providerIds: string[] }> {
  const id = newId();
  const providerIds: string[] = [];
  for (const text of ["one", "two"]) {
    const outcome = await linked.send(zainab, text, newId());
    if (outcome.class !== "sent") throw new Error("It was not sent.");
    providerIds.push(outcome.providerMessageId ?? "");
  }
  known.set(id, {
    pending: false,
    parts: providerIds.map((providerMessageId) => ({
      payload: { kind: "text", text: "?" },
      providerMessageId,
    })),
  });
  return { id, providerIds };
}

describe("reactions", () => {
  const react = (target: string, emoji: string | null, command = newId()) =>
    linked.send(zainab, { change: { kind: "react", message_id: target, emoji } }, command);
  const done = { class: "sent", providerMessageId: null };
  /** What WhatsApp was told of the reactions. */
  const told = () =>
    linked.standIn.record
      .entries({ kind: "message", phone: shop })
      .flatMap(({ message, attributes }) =>
        message?.reactionMessage ? [{ ...message.reactionMessage, type: attributes["type"] }] : [],
      );

  test("a customer's message gets one, another one and none: its key is theirs", async () => {
    const { id, providerId } = await said("how much?");
    for (const emoji of ["👍", "❤️"]) expect(await react(id, emoji)).toEqual(done);
    expect(shown(providerId)).toMatchObject({ reaction: "❤️", ownReaction: null });
    expect(await react(id, null)).toEqual(done);
    expect(shown(providerId)).toMatchObject({ reaction: null });
    const key = { remoteJid: lid(), fromMe: false, id: providerId };
    expect(told()).toMatchObject([
      { key, text: "👍", type: "reaction" },
      { key, text: "❤️", type: "reaction" },
      { key, text: "", type: "reaction" },
    ]);
    expect(told().map((one) => one.key?.participant ?? null)).toEqual([null, null, null]);
  });

  test("a message of ours gets it at its first part: its key is ours", async () => {
    await said("hello");
    const { id, providerIds } = await sent();
    expect(await react(id, "🎉")).toEqual(done);
    expect(providerIds.map((one) => shown(one)?.ownReaction)).toEqual(["🎉", null]);
    expect(told()).toMatchObject([{ key: { fromMe: true, id: providerIds[0] }, text: "🎉" }]);
  });

  test("one that is made again is the same message; one of nothing is refused; one of what still goes out waits", async () => {
    const { id } = await said("again");
    const command = newId();
    for (const _ of [1, 2]) expect(await react(id, "👍", command)).toEqual(done);
    const ids = linked.standIn.record
      .entries({ kind: "message", phone: shop })
      .filter(({ message }) => message?.reactionMessage)
      .map(({ messageId }) => messageId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(await react(newId(), "👍")).toMatchObject({
      class: "rejected",
      reason: { code: "nothing_to_change" },
    });
    known.set(id, { pending: true, parts: [] });
    expect(await react(id, "👍")).toMatchObject({
      class: "unavailable",
      reason: { code: "not_sent_yet" },
    });
  });
});

describe("marks of reading", () => {
  const read = (...ids: string[]) =>
    linked.send(zainab, {
      change: { kind: "read", message_id: newId(), provider_message_ids: ids },
    });
  const marks = () =>
    linked.standIn.record
      .entries({ kind: "receipt", phone: shop })
      .flatMap(({ type, to, messageIds }) =>
        type.startsWith("read") ? [{ type, to, messageIds }] : [],
      );

  test("several messages are one receipt, and her phone shows that they were read; twice is once", async () => {
    const ids = [(await said("one")).providerId, (await said("two")).providerId];
    for (const _ of [1, 2])
      expect(await read(...ids)).toEqual({ class: "sent", providerMessageId: null });
    const mark = { type: "read", to: lid(), messageIds: ids };
    expect(marks()).toEqual([mark, mark]);
    expect(ids.map((id) => shown(id)?.status)).toEqual(["read", "read"]);
  });

  test("who was written to by number first is told at the LID by which they answered", async () => {
    await linked.send(zainab, "hello");
    const { providerId } = await said("yes?");
    await read(providerId);
    expect(marks()).toEqual([{ type: "read", to: lid(), messageIds: [providerId] }]);
  });

  test("where the account keeps it back, its own devices alone are told, from one moment to the next", async () => {
    const open = await said("open");
    await read(open.providerId);
    linked.standIn.setPhone(shop, { readReceipts: false });
    const { providerId } = await said("private");
    expect(await read(providerId)).toMatchObject({ class: "sent" });
    expect(marks()).toEqual([
      { type: "read", to: lid(), messageIds: [open.providerId] },
      { type: "read-self", to: lid(), messageIds: [providerId] },
    ]);
    expect(shown(providerId)?.status).toBe("delivered");
  });

  test("no word from the server is uncertain, and the session goes on", async () => {
    const { providerId } = await said("silence");
    linked.standIn.faults.add({ kind: "no_read_ack", phone: shop });
    expect(await read(providerId)).toMatchObject({ class: "uncertain" });
    expect(await read(providerId)).toMatchObject({ class: "sent" });
    expect(linked.standIn.phone(shop).linked).toMatchObject([{ openings: 1, connected: true }]);
  });
});
