// What is sent arrives as it is meant: answers, places, cards, changes; and who can't be reached is said in words.
import { newId } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import type { MemoryContext } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Linked, mai, shop, zainab } from "../fixtures/linked.ts";

let linked: Linked;
/** What the house knows of messages, by their ids. */
const known = new Map<string, Awaited<ReturnType<MemoryContext["message"]>>>();
beforeAll(async () => {
  linked = await Linked.open({
    through: () => ({ message: (id) => Promise.resolve(known.get(id) ?? null) }),
  });
});
afterAll(() => linked.close());

/** Sends, and lets the house know what was sent. */
async function sent(
  to: string,
  said: Parameters<Linked["send"]>[1],
): Promise<{ id: string; providerMessageId: string }> {
  const id = newId();
  const outcome = await linked.send(to, said, id);
  if (outcome.class !== "sent" || outcome.providerMessageId === null)
    throw new Error(`It was not sent: ${outcome.class}`);
  const { providerMessageId } = outcome;
  const content =
    typeof said === "string" ? { text: said, media: null } : { text: null, media: null, ...said };
  const [part] = linked.connector.plan({ to, messageId: id, content });
  known.set(id, { pending: false, parts: [{ payload: part?.payload, providerMessageId }] });
  return { id, providerMessageId };
}

const last = (person = zainab) => linked.standIn.messages(person, shop).at(-1);

test("Arabic, emoji and lines arrive as they were written", async () => {
  const text = "مرحبا *زينب* 👩‍👩‍👧\nhttps://shop.example/a?b=1\n‏٣٤";
  await sent(zainab, text);
  expect(last()?.content).toEqual({ kind: "text", text });
});

test("a place and a card arrive as such", async () => {
  const location = { latitude: 33.3152, longitude: 44.3661, name: "Shop", address: "Baghdad" };
  await sent(zainab, { location });
  expect(last()?.content).toEqual({ kind: "location", ...location });
  await sent(zainab, { contact: { name: "Amina; Co", phones: ["9647700000003"] } });
  expect(last()?.content).toMatchObject({ kind: "contact", phones: ["+9647700000003"] });
});

test("an answer names the message that it answers, of either side", async () => {
  const asked = await linked.says(zainab, "how much?");
  await linked.standIn.settled(shop);
  const question = newId();
  known.set(question, { pending: false, parts: [{ payload: null, providerMessageId: asked }] });
  const answer = await sent(zainab, { text: "ten", reply_to: question });
  expect(last()).toMatchObject({ replyTo: asked, content: { text: "ten" } });
  await sent(zainab, { text: "or nine", reply_to: answer.id });
  expect(last()?.replyTo).toBe(answer.providerMessageId);
});

test("an edit and a deletion change what was sent; what was not sent can't be changed", async () => {
  const { id, providerMessageId } = await sent(zainab, "tne");
  const shown = () =>
    linked.standIn.messages(zainab, shop).find(({ messageId }) => messageId === providerMessageId);
  const change = (kind: "edit" | "delete", text: string | null, target = id) =>
    linked.send(zainab, { text, change: { kind, message_id: target } });
  expect(await change("edit", "ten")).toEqual({ class: "sent", providerMessageId: null });
  expect(shown()).toMatchObject({ content: { text: "ten" }, edited: true });
  expect(await change("delete", null)).toEqual({ class: "sent", providerMessageId: null });
  expect(shown()).toMatchObject({ deleted: true });
  expect(await change("delete", null, newId())).toMatchObject({
    class: "rejected",
    reason: { code: "nothing_to_change" },
  });
});

test("who has no WhatsApp is told at once, and not asked for again", async () => {
  const to = "9647700000099";
  for (const _ of [1, 2])
    expect(await linked.send(to, "hello")).toMatchObject({
      class: "rejected",
      reason: { code: "not_on_whatsapp" },
    });
  linked.standIn.addPhone({ number: to });
  expect(await linked.send(to, "hello")).toMatchObject({ reason: { code: "not_on_whatsapp" } });
});

test("an id of a part is the same in each attempt, and another one for each part and connection", async () => {
  const id = newId();
  const outcomes = [await linked.send(mai, "once", id), await linked.send(mai, "once", id)];
  expect(outcomes[1]).toEqual(outcomes[0]);
  expect(linked.shownBy(mai)).toEqual(["once"]);
});

test("somebody whose number is hidden is answered at the LID", async () => {
  const { lid } = linked.standIn.phone(zainab);
  expect(await linked.send(lid, "by LID")).toMatchObject({ class: "sent" });
  expect(last()?.content).toEqual({ kind: "text", text: "by LID" });
});

test("the person sees that somebody writes", async () => {
  const seen: string[] = [];
  const end = linked.standIn.onChange((change) => {
    if (change.type === "typing" && change.phone === zainab) seen.push(change.state);
  });
  await linked.account.typing?.show(zainab, AbortSignal.timeout(5_000));
  await waitFor(() => seen.includes("composing"), { what: "the sign of writing" });
  end();
});
