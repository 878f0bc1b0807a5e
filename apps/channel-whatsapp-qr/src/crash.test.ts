// Whatever breaks between two steps: what came in is kept once, what is sent can be read, and nothing is said before it is durable.
import { setTimeout as pause } from "node:timers/promises";
import { newId } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import type { MemoryContext } from "@thikaa/testkit";
import { afterEach, expect, test } from "vitest";
import { Linked, shop, zainab } from "./fixtures/linked.ts";

let linked: Linked;
afterEach(() => linked.close());

/** What a test does around one write of the connection; each is done once. */
interface Interruption {
  before?: (() => void) | undefined;
  after?: (() => Promise<void>) | undefined;
}

/** Opens a connection; `interruptions` strike at the next write that brings an item, or keeps what is sent. */
async function open(interruptions: { received?: Interruption; sent?: Interruption }) {
  const strike = async (at: Interruption | undefined, write: () => Promise<void>) => {
    const { before, after } = at ?? {};
    if (at !== undefined) [at.before, at.after] = [undefined, undefined];
    before?.();
    await write();
    await after?.();
  };
  const through = (context: MemoryContext): Partial<MemoryContext> => ({
    received: (items, state) =>
      strike(
        items.some(({ raw }) => String(raw).startsWith('{"kind":"message"'))
          ? interruptions.received
          : undefined,
        () => context.received(items, state),
      ),
    state: {
      ...context.state,
      set: (values) =>
        strike(
          Object.keys(values).some((key) => key.startsWith("sent/"))
            ? interruptions.sent
            : undefined,
          () => context.state.set(values),
        ),
    },
  });
  linked = await Linked.open({ through });
}

const breakDown = () => {
  throw new Error("the database is away");
};

/** The connection breaks, and is known to be broken. */
async function cut(): Promise<void> {
  linked.standIn.disconnect({ phone: shop, by: "reset" });
  await waitFor(() => linked.standIn.phone(shop).linked.every(({ connected }) => !connected), {
    what: "the end of the connection",
  });
  await new Promise((resolve) => setImmediate(resolve));
}

test("a message that could not be kept is not acknowledged: it comes again, can be read, and is kept once", async () => {
  const received: Interruption = {};
  await open({ received });
  await linked.says(zainab, "before");
  await linked.untilTexts(["before"]);
  received.before = breakDown;
  await linked.says(zainab, "in the middle");
  await linked.says(zainab, "after");
  await linked.untilTexts(["in the middle", "after"]);
  await linked.standIn.settled(shop);
  expect(linked.texts).toEqual(["before", "in the middle", "after"]);
  expect(linked.context.items.filter(({ raw }) => String(raw).includes('"message"'))).toHaveLength(
    3,
  );
  expect(linked.undecryptable).toBe(0);
});

test("what is written while that which waited is still being read comes after it", async () => {
  const received: Interruption = {};
  await open({ received });
  await cut();
  const waiting = ["1", "2", "3"].map((text) => linked.says(zainab, text));
  // The first write takes so long that the next message is here before it is done.
  received.after = () => linked.says(zainab, "4").then(() => pause(100));
  await Promise.all(waiting);
  await linked.untilTexts(["1", "2", "3", "4"]);
  expect(linked.texts).toEqual(["1", "2", "3", "4"]);
});

test("a message that was kept, and whose receipt was lost, gets its receipt and is not read again", async () => {
  const received: Interruption = {};
  await open({ received });
  await linked.says(zainab, "before");
  await linked.untilTexts(["before"]);
  received.after = cut;
  await linked.says(zainab, "kept");
  await linked.untilTexts(["kept"]);
  await linked.says(zainab, "after");
  await linked.untilTexts(["after"]);
  await linked.standIn.settled(shop);
  expect(linked.texts).toEqual(["before", "kept", "after"]);
  expect(linked.undecryptable).toBe(0);
});

test("no byte of a message leaves before its ratchet step is durable", async () => {
  const sent: Interruption = {};
  await open({ sent });
  expect(await linked.send(zainab, "one")).toMatchObject({ class: "sent" });
  sent.before = breakDown;
  const id = newId();
  expect(await linked.send(zainab, "two", id)).toMatchObject({ class: "unavailable" });
  expect(linked.shownBy(zainab)).toEqual(["one"]);
  expect(await linked.send(zainab, "two", id)).toMatchObject({ class: "sent" });
  expect(linked.shownBy(zainab)).toEqual(["one", "two"]);
});

test("a step that was taken and never sent makes nothing unreadable", async () => {
  const sent: Interruption = {};
  await open({ sent });
  await linked.send(zainab, "one");
  sent.after = cut;
  const id = newId();
  expect(["unavailable", "uncertain"]).toContain((await linked.send(zainab, "two", id)).class);
  expect(await linked.send(zainab, "two", id)).toMatchObject({ class: "sent" });
  expect(await linked.send(zainab, "three")).toMatchObject({ class: "sent" });
  expect(linked.shownBy(zainab)).toEqual(["one", "two", "three"]);
});

test("a message that is sent again after an uncertain end is the same message", async () => {
  await open({});
  linked.standIn.faults.add({ kind: "drop_after_message", phone: shop });
  const id = newId();
  expect(await linked.send(zainab, "once", id)).toMatchObject({ class: "uncertain" });
  const again = await linked.send(zainab, "once", id);
  expect(again).toMatchObject({ class: "sent" });
  expect(linked.shownBy(zainab)).toEqual(["once"]);
  expect(linked.standIn.messages(zainab, shop).map(({ messageId }) => messageId)).toEqual([
    again.class === "sent" ? again.providerMessageId : null,
  ]);
});

test("what a device could not read is given again, also after the connection moved", async () => {
  await open({});
  await linked.send(zainab, "before");
  linked.standIn.forgetSessions({ phone: zainab, with: shop });
  linked.standIn.setPhone(zainab, { online: false });
  await linked.send(zainab, "unreadable at first");
  await linked.reopen();
  linked.standIn.setPhone(zainab, { online: true });
  await waitFor(() => linked.shownBy(zainab)[1] === "unreadable at first", {
    what: "the message to be readable",
    deadlineMs: 10_000,
  });
});

test("a message that can't be decrypted is kept as such, asked for again, and then comes under its own id", async () => {
  await open({});
  const { messageId } = await linked.standIn.send({
    from: zainab,
    to: shop,
    content: { kind: "text", text: "garbled at first" },
    garbled: true,
  });
  await linked.untilTexts(["garbled at first"]);
  const ids = linked.converted.flatMap((said) =>
    said.kind === "message" ? [said.provider_message_id] : [],
  );
  expect(ids).toEqual([messageId]);
  expect(linked.undecryptable).toBe(1);
});

test("keys that went back in time make nothing lost: what can't be read comes again", async () => {
  const kept = new Map<string, string>();
  const write = (values: Readonly<Record<string, string | null>>) => {
    for (const [key, value] of Object.entries(values))
      if (value === null) kept.delete(key);
      else kept.set(key, value);
  };
  linked = await Linked.open({
    through: (context) => ({
      state: {
        get: async (keys) => new Map([...kept].filter(([key]) => keys.includes(key))),
        set: async (values) => write(values),
        forget: async (prefix) =>
          write(
            Object.fromEntries(
              [...kept.keys()].flatMap((key) => (key.startsWith(prefix) ? [[key, null]] : [])),
            ),
          ),
      },
      async received(items, state = {}) {
        await context.received(items);
        write(state);
      },
    }),
  });
  const talk = async (text: string) => {
    await linked.says(zainab, text);
    await linked.untilTexts([text]);
    expect(await linked.send(zainab, `re ${text}`)).toMatchObject({ class: "sent" });
  };
  await talk("one");
  const before = [...kept];
  await talk("two");
  await talk("three");
  await linked.account.disconnect();
  kept.clear();
  for (const [key, value] of before) kept.set(key, value);
  await linked.reopen();
  const id = await linked.says(zainab, "four");
  await linked.untilTexts(["four"]);
  await linked.standIn.settled(shop);
  expect(linked.texts).toEqual(["one", "two", "three", "four"]);
  // It could not be read, was asked for again, and came as a message like any other: once, under its own id.
  expect(linked.undecryptable).toBe(1);
  expect(
    linked.standIn.record
      .entries({ kind: "receipt" })
      .filter(({ type, messageIds }) => type === "retry" && messageIds.includes(id)),
  ).toHaveLength(1);
  expect(
    linked.converted.flatMap((said) =>
      said.kind === "message" && said.text === "four" ? [said.provider_message_id] : [],
    ),
  ).toEqual([id]);
  expect(await linked.send(zainab, "re four")).toMatchObject({ class: "sent" });
  await waitFor(() => linked.shownBy(zainab).at(-1) === "re four", {
    what: "the answer to be readable",
    deadlineMs: 10_000,
  });
});
