// The host with a connector of the test's own: fences, sealing, lanes, rings, and what happens at the end.
import { removeConnection, reportConnection } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import type { Outcome } from "@thikaa/schema";
import { deferred, waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AddressTaken, ConnectionFault, OwnershipLost } from "../faults.ts";
import { House } from "./fixtures/house.ts";

let house: House;
beforeEach(async () => void (house = await House.open()));
afterEach(() => house.close());

const reason = { code: "test", message: "A test.", provider_code: null, provider_message: null };
const never: Outcome = { class: "uncertain", reason };

/** Another worker takes the connection over, as after a lost lease. */
async function takeOver(id: string): Promise<void> {
  await house.database.query({
    text: "UPDATE assignments SET worker = $2, epoch = epoch + 1 WHERE key = $1",
    values: [id, newId()],
  });
}

test("state is written whole, sealed, read back and deleted", async () => {
  const connection = await house.connection();
  await house.start();
  const { state } = await house.opened(connection);
  await state.set({ cursor: "مفتاح-canary", session: "two" });
  expect(await state.get(["cursor", "session", "none"])).toEqual(
    new Map([
      ["cursor", "مفتاح-canary"],
      ["session", "two"],
    ]),
  );
  const { rows } = await house.database.query<{ key: string; value_sealed: string }>({
    text: "SELECT key, value_sealed FROM connector_state ORDER BY key",
  });
  expect(rows.map((row) => row.key)).toEqual(["cursor", "session"]);
  expect(JSON.stringify(rows)).not.toContain("canary");
  await state.set({ cursor: null, session: "three" });
  expect(await state.get(["cursor", "session"])).toEqual(new Map([["session", "three"]]));
});

test("state is forgotten by the beginning of its keys, and only of this connection", async () => {
  const [one, two] = [await house.connection(), await house.connection()];
  await house.start();
  const { state } = await house.opened(one);
  const other = (await house.opened(two)).state;
  await other.set({ "a/1": "other" });
  await state.set({ "a/1": "1", "a/2": "2", "a%": "3", a: "4", "b/a/": "5" });
  await state.forget("a/");
  const keys = ["a/1", "a/2", "a%", "a", "b/a/"];
  expect([...(await state.get(keys)).keys()].toSorted()).toEqual(["a", "a%", "b/a/"]);
  expect((await other.get(keys)).size).toBe(1);
  await takeOver(one.id);
  await expect(state.forget("")).rejects.toThrow(OwnershipLost);
  expect((await state.get(keys)).size).toBe(3);
});

test("what is off keeps its state; what is removed is retired for good, even if it was off, and leaves none", async () => {
  const retired: string[] = [];
  house.provider.retire = async ({ connectionId }, desired) => {
    retired.push(desired);
    // Tried again: nothing is deleted before it succeeds.
    if (retired.length === 2)
      throw new ConnectionFault({
        state: "recovering",
        reason: { code: "test", message: `Not now: ${connectionId}.` },
      });
  };
  const connection = await house.connection();
  await house.start();
  const { state } = await house.opened(connection);
  await state.set({ link: "kept" });
  await house.database.query({
    text: "UPDATE connections SET desired = 'off', revision = revision + 1",
  });
  await house.untilState(connection, "off");
  expect(retired).toEqual(["off"]);
  expect((await state.get(["link"])).size).toBe(1);
  const { id, storeId } = connection;
  await removeConnection(house.database, { id, store_id: storeId, channel: "tg" });
  await waitFor(() => retired.length === 2, { what: "the first try" });
  expect((await state.get(["link"])).size).toBe(1);
  await house.untilState(connection, "off");
  expect(retired).toEqual(["off", "removed", "removed"]);
  expect((await state.get(["link"])).size).toBe(0);
});

test("what is removed while it is being put off is retired for good as well", async () => {
  const retired: string[] = [];
  const connection = await house.connection();
  const { id, storeId } = connection;
  house.provider.retire = async (_, desired) => {
    retired.push(desired);
    if (desired === "off")
      await removeConnection(house.database, { id, store_id: storeId, channel: "tg" });
  };
  await house.start();
  await house.untilState(connection, "connected");
  await house.database.query({
    text: "UPDATE connections SET desired = 'off', revision = revision + 1",
  });
  await waitFor(() => retired.includes("removed"), { what: "the removal" });
  await house.untilState(connection, "off");
});

test("after a take-over the old owner writes neither state nor credentials nor identity nor reports", async () => {
  const connection = await house.connection();
  await house.start();
  const context = await house.opened(connection);
  await context.identify({ address: "1", name: "Shop", link: null });
  await house.untilState(connection, "connected");
  const { rows: held } = await house.database.query<{ worker: string; epoch: number }>({
    text: "SELECT worker, epoch FROM assignments",
  });
  await takeOver(connection.id);
  await expect(context.state.set({ cursor: "late" })).rejects.toThrow(OwnershipLost);
  await expect(context.credentials.replace({ key: "late" })).rejects.toThrow(OwnershipLost);
  await expect(context.identify({ address: "2", name: "Late", link: null })).rejects.toThrow(
    OwnershipLost,
  );
  const late = { state: "attention", reason: { code: "late", message: "Late." } } as const;
  for (const { worker, epoch } of held) {
    const fence = { connectionId: connection.id, worker, epoch };
    expect(await reportConnection(house.database, fence, late)).toBe(false);
  }
  expect(held).toHaveLength(1);
  const { rows } = await house.database.query({
    text: "SELECT address, state FROM connections",
  });
  expect(rows).toEqual([{ address: "1", state: "connected" }]);
  expect(await context.state.get(["cursor"])).toEqual(new Map());
});

test("replaced credentials are what the connection is opened with next time", async () => {
  const connection = await house.connection();
  const first = await house.start();
  await (await house.opened(connection)).credentials.replace({ key: "second" });
  await first.stop();
  house.provider.contexts.clear();
  await house.start();
  expect((await house.opened(connection)).credentials.values).toEqual({ key: "second" });
});

test("an account belongs to one connection of a channel", async () => {
  const [one, two] = [await house.connection(), await house.connection()];
  await house.start();
  const account = { address: "1", name: "Shop", link: null };
  await (await house.opened(one)).identify(account);
  await expect((await house.opened(two)).identify(account)).rejects.toThrow(AddressTaken);
});

test("what needs a person is tried again where the connector names a time, and else is not", async () => {
  const tries = new Map<string, number>();
  house.provider.connect = async ({ connectionId }) => {
    const count = (tries.get(connectionId) ?? 0) + 1;
    tries.set(connectionId, count);
    const needed = { state: "attention", reason: { code: "test", message: "A test." } } as const;
    if (connectionId === waits.id) throw new ConnectionFault(needed);
    if (count < 3) throw new ConnectionFault({ ...needed, retryAfterMs: 50 });
  };
  const [waits, heals] = [await house.connection(), await house.connection()];
  await house.start();
  await house.untilState(heals, "connected");
  await house.untilState(waits, "attention");
  expect([...tries]).toEqual(
    expect.arrayContaining([
      [waits.id, 1],
      [heals.id, 3],
    ]),
  );
});

test("the context knows where the provider is and where it is to post", async () => {
  const connection = await house.connection();
  await house.start();
  const context = await house.opened(connection);
  expect(context.baseUrl).toBe("https://provider.example");
  expect(context.webhookUrl).toMatch(/^https:\/\/shop\.example\/hooks\/tg\/con_[0-9A-Z]{26}$/);
  expect(context.webhookSecret).toMatch(/^[\w-]{43}$/);
});

test("what came in is never refused, whoever received it", async () => {
  const connection = await house.connection();
  await house.start();
  const context = await house.opened(connection);
  await takeOver(connection.id);
  await context.received([{ key: "1", thread: "a", raw: "{}" }]);
  const { rows } = await house.database.query({ text: "SELECT key FROM inbound_items" });
  expect(rows).toEqual([{ key: "1" }]);
});

test("what came in and the state it left behind are committed together, or neither is", async () => {
  const connection = await house.connection();
  await house.start();
  const context = await house.opened(connection);
  await context.state.set({ ratchet: "0", used: "a key" });
  await context.received([{ key: "1", thread: "a", raw: "{}" }], { ratchet: "1", used: null });
  expect(await context.state.get(["ratchet", "used"])).toEqual(new Map([["ratchet", "1"]]));
  // A table that can't be written stops both: the message is read again with the ratchet that fits it.
  await house.database.query({ text: "ALTER TABLE inbound_items ADD CHECK (key <> '2')" });
  const refused = [{ key: "2", thread: "a", raw: "{}" }];
  await expect(context.received(refused, { ratchet: "2" })).rejects.toThrow("inbound_items");
  await takeOver(connection.id);
  const late = [{ key: "3", thread: "a", raw: "{}" }];
  await expect(context.received(late, { ratchet: "3" })).rejects.toThrow(OwnershipLost);
  expect(await context.state.get(["ratchet"])).toEqual(new Map([["ratchet", "1"]]));
  const { rows } = await house.database.query({ text: "SELECT key FROM inbound_items" });
  expect(rows).toEqual([{ key: "1" }]);
});

test("what can't be converted is kept as a notice with its raw form, and a repeat changes nothing", async () => {
  const connection = await house.connection();
  await house.start();
  const context = await house.opened(connection);
  house.provider.convert = (item) => {
    if (item.key === "throws") throw new Error("a fault of the connector");
    return { kind: "notice", reason: "nul \0 and \ud800 half", raw_type: null };
  };
  const items = ["throws", "odd", "odd", "x".repeat(2_000)].map((key) => ({
    key,
    thread: "thread",
    raw: new Uint8Array([0, 255]),
  }));
  await context.received(items);
  await context.received(items);
  const { rows } = await house.database.query({
    text: "SELECT left(key, 7) AS key, raw, converted ->> 'reason' AS reason FROM inbound_items ORDER BY id",
  });
  const raw = Buffer.from([0, 255]);
  expect(rows).toEqual([
    { key: "throws", raw, reason: "not_converted" },
    { key: "odd", raw, reason: "nul  and \ufffd half" },
    { key: "sha256:", raw, reason: "nul  and \ufffd half" },
  ]);
});

test("a connection whose every lane is stuck delays no other", async () => {
  const [stuck, free] = [await house.connection(), await house.connection()];
  const release = deferred<Outcome>();
  house.provider.send = (part, context) =>
    context.connectionId === stuck.id
      ? release.promise
      : Promise.resolve({ class: "sent", providerMessageId: part.messageId });
  const recipients = Array.from({ length: 40 }, (_, index) => `stuck-${index}`);
  await house.queue(stuck, recipients);
  await house.start();
  await waitFor(() => house.provider.sentTo.length === 32, { what: "32 lanes to be in use" });
  const [message] = await house.queue(free, ["free"]);
  await house.untilStatus(message ?? "", "sent");
  expect(house.provider.sentTo.filter((to) => to.startsWith("stuck"))).toHaveLength(32);
  release.resolve({ class: "rejected", reason });
  await waitFor(() => house.provider.sentTo.length === 41, { what: "the rest to follow" });
});

test("that somebody writes is shown at once, and a failure of it hurts nobody", async () => {
  const connection = await house.connection();
  const shown: string[] = [];
  house.provider.showTyping = (to) => {
    shown.push(to);
    return Promise.reject(new Error("the provider is away"));
  };
  await house.start();
  await house.untilState(connection, "connected");
  for (const to of ["amina", "basim"])
    house.bus.ring(
      { ring: "typing", to: ["tg", connection.id] },
      { connection_id: connection.id, to },
    );
  await waitFor(() => shown.length === 2, { what: "both to be shown" });
  expect(shown).toEqual(["amina", "basim"]);
  const [message] = await house.queue(connection, ["amina"]);
  await house.untilStatus(message ?? "", "sent");
});

test("two messages to one recipient are never in flight together", async () => {
  const connection = await house.connection();
  let [inFlight, most] = [0, 0];
  house.provider.send = async (part) => {
    most = Math.max(most, ++inFlight);
    await new Promise(setImmediate);
    inFlight -= 1;
    return { class: "sent", providerMessageId: part.messageId };
  };
  const ids = await house.queue(
    connection,
    Array.from({ length: 10 }, () => "one"),
  );
  await house.start();
  await house.untilStatus(ids.at(-1) ?? "", "sent");
  expect(most).toBe(1);
});

test("a rung message does not wait for the next look at the queue", async () => {
  const connection = await house.connection();
  await house.start();
  await house.opened(connection);
  const begun = performance.now();
  // Five in a row: by looking once a second alone they would take about five seconds.
  for (let index = 0; index < 5; index++) {
    const [id = ""] = await house.queue(connection, ["rung"]);
    house.bus.ring(
      { ring: "out", to: ["tg", connection.id] },
      {
        store_id: connection.storeId,
        connection_id: connection.id,
        message_id: id,
        channel: "tg",
        to: "rung",
        content: { text: "hello", media: null },
      },
    );
    await house.untilStatus(id, "sent");
  }
  expect(performance.now() - begun).toBeLessThan(3_000);
});

test("a connector that throws while it sends is our own fault: the attempt says so and the text of the error goes nowhere", async () => {
  const connection = await house.connection();
  house.provider.send = () => Promise.reject(new Error("canary"));
  const [id] = await house.queue(connection, ["one"]);
  await house.start();
  const detail = await waitFor(
    async () =>
      (
        await house.database.query<{ outcome: string | null; detail: string }>({
          text: "SELECT outcome, detail::text AS detail FROM attempts WHERE subject_id = $1 AND outcome IS NOT NULL",
          values: [id],
        })
      ).rows[0],
    { what: "the outcome" },
  );
  expect(detail.outcome).toBe("poison");
  expect(detail.detail).not.toContain("canary");
});

test("a connection that can't be opened is tried again and says why meanwhile", async () => {
  const connection = await house.connection();
  let tries = 0;
  house.provider.connect = () => {
    tries += 1;
    if (tries > 2) return Promise.resolve();
    return Promise.reject(
      tries === 1
        ? new ConnectionFault({
            state: "limited",
            reason: { code: "wait", message: "Wait." },
            retryAfterMs: 50,
          })
        : new Error("a fault of the connector"),
    );
  };
  const seen: string[] = [];
  house.bus.listen({ ring: "connection", to: [connection.id] }, ({ state, reason: why }) =>
    seen.push(`${state} ${why?.code ?? "-"}`),
  );
  await house.bus.flush();
  await house.start();
  await waitFor(() => seen.includes("connected -"), { what: "the connection to be open" });
  expect(seen.at(-1)).toBe("connected -");
  expect(seen).toContain("recovering internal_error");
});

test("at the end a send that does not finish is cut off and told as uncertain, all within nine seconds", async () => {
  const connection = await house.connection();
  house.provider.send = (_part, context) =>
    new Promise((resolve) =>
      context.signal.addEventListener("abort", () => resolve(never), { once: true }),
    );
  const [id] = await house.queue(connection, ["one"]);
  const service = await house.start();
  await waitFor(() => house.provider.sentTo.length === 1, { what: "the call to begin" });
  const begun = performance.now();
  await service.stop();
  expect(performance.now() - begun).toBeLessThan(9_000);
  const { rows } = await house.database.query({
    text: "SELECT outcome FROM attempts WHERE subject_id = $1",
    values: [id],
  });
  expect(rows).toEqual([{ outcome: "uncertain" }]);
});

test("a host that does not know the database's schema does not start and says so", async () => {
  await house.database.query({
    text: "UPDATE schema_migrations SET version = version + 1000, requires = 1000",
  });
  await expect(house.start()).rejects.toThrow(/schema/);
});
