// Pairing by the host: only when asked for, shown sealed, and ended in one step with its reason; a take-over goes on with it.
import {
  askPairing,
  cancelPairing,
  endPairing,
  findPairingLink,
  findPairingView,
  loadPairing,
  savePairingLink,
  showPairing,
} from "@thikaa/db";
import type { Service } from "@thikaa/runtime";
import { newId } from "@thikaa/schema";
import { deferred, waitFor } from "@thikaa/testkit";
import { places } from "@thikaa/vault";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AddressTaken, ConnectionFault, NotPaired } from "../faults.ts";
import type { PairingDesk, PairingFacet } from "../pairing.ts";
import { House } from "./fixtures/house.ts";
import type { Connection } from "./fixtures/house.ts";

let house: House;
let service: Service;
/** The connections whose phone is linked. */
const linked = new Set<string>();
const pairings = new Map<string, PairingFacet["pair"]>();
beforeAll(async () => {
  house = await House.open();
  house.provider.connect = ({ connectionId }) =>
    linked.has(connectionId) ? Promise.resolve() : Promise.reject(new NotPaired());
  house.provider.pair = async (context, desk) =>
    pairings.get(context.connectionId)?.(context, desk);
  service = await house.start();
});
afterAll(() => house.close());

const soon = () => new Date(Date.now() + 60_000);

/** As the admin API asks: the row, and the ring that wakes the owner. */
async function ask(
  { id, storeId }: Connection,
  { phone = null, lastsSeconds = 60 }: { phone?: string | null; lastsSeconds?: number } = {},
): Promise<boolean> {
  const asked = await askPairing(house.database, {
    id: newId(),
    storeId,
    connectionId: id,
    askedBy: "admin",
    phone,
    lastsSeconds,
  });
  house.bus.ring(
    { ring: "connection", to: [id] },
    { store_id: storeId, connection_id: id, channel: "tg", state: "pairing", reason: null },
  );
  return asked;
}

async function view({ id }: Connection) {
  const found = await findPairingView(house.database, id);
  if (found === null) throw new Error("no connection");
  const { state, reason, asked } = found;
  const shown =
    found.shown_sealed === null
      ? null
      : (JSON.parse(house.vault.open(found.shown_sealed, places.pairingShown(id))) as unknown);
  return { state, code: reason?.code ?? null, asked, shown };
}

/** A phone in the test's hand: what it does counts for the connection's pairing that runs just then. */
function phoneInHand({ id }: Connection) {
  const desks: PairingDesk[] = [];
  let running = deferred<void>();
  pairings.set(id, async ({ signal }, desk) => {
    const end = deferred<void>();
    running = end;
    signal.addEventListener("abort", () => end.reject(new Error("let go")));
    desks.push(desk);
    await end.promise;
    linked.add(id);
  });
  return {
    desks,
    scan: () => running.resolve(),
    fail: (error: Error) => running.reject(error),
  };
}

test("a connection that was never paired waits for a person, and no code is made for nobody", async () => {
  const connection = await house.connection();
  const { desks } = phoneInHand(connection);
  await house.untilState(connection, "attention");
  expect(await view(connection)).toMatchObject({ code: "not_paired", asked: false });
  expect(desks).toEqual([]);
});

test("codes are shown sealed, each in the place of the one before, until the phone is linked; then it connects", async () => {
  const connection = await house.connection();
  const { desks, scan } = phoneInHand(connection);
  await house.untilState(connection, "attention");
  expect(await ask(connection)).toBe(true);
  const desk = await waitFor(() => desks[0], { what: "the pairing" });
  await house.untilState(connection, "pairing");
  desk.show({ kind: "qr", text: "canary-1", expiresAt: soon() });
  desk.show({ kind: "qr", text: "canary-2", expiresAt: soon() });
  const shown = async () => JSON.stringify((await view(connection)).shown);
  await waitFor(async () => (await shown()) === '{"kind":"qr","text":"canary-2"}', {
    what: "the second code",
  });
  const { rows } = await house.database.query({ text: "SELECT * FROM pairings" });
  expect(JSON.stringify(rows)).not.toContain("canary");
  expect(desk.phone).toBeNull();
  scan();
  await house.untilState(connection, "connected");
  expect(await view(connection)).toEqual({
    state: "connected",
    code: null,
    asked: false,
    shown: null,
  });
});

test("asking again for the same phone joins what is under way; for another phone it starts anew", async () => {
  const connection = await house.connection();
  const { desks } = phoneInHand(connection);
  expect(await ask(connection)).toBe(true);
  await waitFor(() => desks[0], { what: "the pairing" });
  expect(await ask(connection)).toBe(false);
  expect(await ask(connection, { phone: "9647700000001" })).toBe(true);
  const second = await waitFor(() => desks[1], { what: "the second pairing" });
  expect(second.phone).toBe("9647700000001");
  // What the first one shows late is nobody's.
  desks[0]?.show({ kind: "qr", text: "late", expiresAt: soon() });
  second.show({ kind: "code", code: "ABCD1234", expiresAt: soon() });
  await waitFor(async () => (await view(connection)).shown !== null, { what: "a code" });
  expect((await view(connection)).shown).toEqual({ kind: "code", code: "ABCD1234" });
});

test.each([
  {
    what: "a refusal",
    error: new ConnectionFault({
      state: "attention",
      reason: { code: "wrong_phone", message: "The wrong phone." },
    }),
    code: "wrong_phone",
  },
  {
    what: "a number of another store",
    error: new AddressTaken(),
    code: "paired_in_another_store",
  },
])("$what ends the pairing with its reason, and asking again begins another", async (row) => {
  const connection = await house.connection();
  const { desks, fail } = phoneInHand(connection);
  await ask(connection);
  await waitFor(() => desks[0], { what: "the pairing" });
  fail(row.error);
  await waitFor(async () => !(await view(connection)).asked, { what: "the end" });
  expect(await view(connection)).toMatchObject({ state: "attention", code: row.code, shown: null });
  expect(await ask(connection)).toBe(true);
  await waitFor(() => desks[1], { what: "the next pairing" });
});

test("a passing fault is tried again while the pairing lasts", async () => {
  const connection = await house.connection();
  const { desks, fail, scan } = phoneInHand(connection);
  await ask(connection);
  const desk = await waitFor(() => desks[0], { what: "the pairing" });
  desk.show({ kind: "qr", text: "of the first try", expiresAt: soon() });
  await waitFor(async () => (await view(connection)).shown !== null, { what: "a code" });
  const reason = { code: "no_answer", message: "No answer." };
  fail(new ConnectionFault({ state: "recovering", reason, retryAfterMs: 1_000 }));
  await house.untilState(connection, "recovering");
  expect(desks).toHaveLength(1);
  // A code that nobody answers to any more is not shown on.
  expect(await view(connection)).toMatchObject({ asked: true, shown: null });
  await waitFor(() => desks[1], { what: "the second try" });
  scan();
  await house.untilState(connection, "connected");
});

test("when its time is over it ends as expired", async () => {
  const connection = await house.connection();
  phoneInHand(connection);
  await ask(connection, { lastsSeconds: 1 });
  await waitFor(async () => (await view(connection)).code === "pairing_expired", {
    what: "the end of its time",
  });
  expect(await view(connection)).toMatchObject({ state: "attention", asked: false });
});

test("taken back, the connection waits again as before", async () => {
  const connection = await house.connection();
  const { desks } = phoneInHand(connection);
  await ask(connection);
  await waitFor(() => desks[0], { what: "the pairing" });
  await house.untilState(connection, "pairing");
  const where = { storeId: connection.storeId, connectionId: connection.id };
  expect(await cancelPairing(house.database, where)).toBe(true);
  await house.untilState(connection, "attention");
  expect(await view(connection)).toMatchObject({ code: "not_paired", asked: false });
});

test("who no longer owns the connection, or shows another pairing, shows and ends nothing", async () => {
  const connection = await house.connection();
  const { desks } = phoneInHand(connection);
  await ask(connection);
  await waitFor(() => desks[0], { what: "the pairing" });
  const { id: pairingId = "" } = (await loadPairing(house.database, connection.id)) ?? {};
  const { rows } = await house.database.query<{ worker: string; epoch: number }>({
    text: "SELECT worker, epoch FROM assignments WHERE key = $1",
    values: [connection.id],
  });
  const [held = { worker: "", epoch: 0 }] = rows;
  const owner = { connectionId: connection.id, ...held };
  const end = { state: "attention", reason: null, linked: true } as const;
  for (const stranger of [
    { ...owner, pairingId: newId() },
    { ...owner, pairingId, epoch: held.epoch + 1 },
    { ...owner, pairingId, worker: newId() },
  ]) {
    const shown = { sealed: "late", until: soon() };
    expect(await showPairing(house.database, stranger, shown)).toBe(false);
    await endPairing(house.database, stranger, end);
  }
  expect(await view(connection)).toMatchObject({ asked: true, shown: null });
  await endPairing(house.database, { ...owner, pairingId }, end);
  expect(await view(connection)).toMatchObject({ asked: false });
});

test("a link is used up by the phone that was linked, not by one that failed", async () => {
  const connection = await house.connection();
  const { desks, fail, scan } = phoneInHand(connection);
  const tokenDigest = Buffer.alloc(32, 7);
  await savePairingLink(house.database, {
    storeId: connection.storeId,
    connectionId: connection.id,
    tokenDigest,
    lastsSeconds: 60,
  });
  const used = async () => (await findPairingLink(house.database, tokenDigest))?.used;
  await ask(connection);
  await waitFor(() => desks[0], { what: "the pairing" });
  fail(new AddressTaken());
  await waitFor(async () => !(await view(connection)).asked, { what: "the end" });
  expect(await used()).toBe(false);
  await ask(connection);
  await waitFor(() => desks[1], { what: "the next pairing" });
  scan();
  await house.untilState(connection, "connected");
  expect(await used()).toBe(true);
});

test("a process that stops leaves the pairing to the next one; the old owner ends nothing of it", async () => {
  const connection = await house.connection();
  const { desks } = phoneInHand(connection);
  await ask(connection);
  await waitFor(() => desks[0], { what: "the pairing" });
  await service.stop();
  expect(await view(connection)).toMatchObject({ asked: true });
  const next = phoneInHand(connection);
  await house.start();
  await waitFor(() => next.desks[0], { what: "the pairing by the next owner" });
  next.scan();
  await house.untilState(connection, "connected");
});
