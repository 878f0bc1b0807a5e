// Pairing on the real protocol: codes that are scanned, typed, renewed and retired, and phones that may not stay.
import { AddressTaken, ConnectionFault } from "@thikaa/connector-kit";
import type { PairingDesk, ShownCode } from "@thikaa/connector-kit";
import type { WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import type { MemoryContext } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createConnector } from "./connector.ts";
import { contextOf, mai, openStandIn, shop, zainab } from "./fixtures/linked.ts";
import { quick } from "./fixtures/pairing.ts";
import { createPairing } from "./pairing.ts";
import type { Timing } from "./timing.ts";

let standIn: WhatsAppWebStandIn;
beforeAll(async () => {
  standIn = await openStandIn();
});
afterAll(() => standIn.close());

/** A pairing under way, with what it shows. */
function begin({
  phone = null,
  timing = {},
  context = contextOf(standIn, { credentials: { phone: "" } }),
}: {
  phone?: string | null;
  timing?: Partial<Timing>;
  context?: MemoryContext;
} = {}) {
  const shown: ShownCode[] = [];
  const desk: PairingDesk = { phone, show: (code) => void shown.push(code) };
  const ended = createPairing({ ...quick, ...timing }).pair(context, desk);
  // Its end is looked at by each test in its own time.
  ended.catch(() => undefined);
  const next = (count: number) =>
    waitFor(() => shown[count - 1], { what: `code ${count}`, deadlineMs: 10_000 });
  return { shown, ended, next, context };
}

const textOf = (shown: ShownCode) => (shown.kind === "qr" ? shown.text : shown.code);
const linkedTo = (phone: string) => standIn.phone(phone).linked;

async function faultOf(ended: Promise<unknown>): Promise<ConnectionFault> {
  const fault = await ended.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(fault instanceof ConnectionFault)) throw new Error(`No fault: ${String(fault)}`);
  return fault;
}

test("a scanned code links the phone; asked again, nothing is shown, and it connects", async () => {
  const pairing = begin();
  const code = await pairing.next(1);
  expect(code.expiresAt.getTime()).toBeGreaterThan(Date.now() + 30_000);
  await standIn.scan({ phone: shop, qr: textOf(code) });
  await pairing.ended;
  const again = begin({ context: pairing.context });
  await again.ended;
  expect(again.shown).toEqual([]);
  const account = await createConnector(quick).connect(pairing.context);
  expect(linkedTo(shop).filter(({ connected }) => connected)).toHaveLength(1);
  await account.disconnect();
  standIn.unlink({ phone: shop });
});

test("a typed code links the phone of that number", async () => {
  const pairing = begin({ phone: mai });
  const code = await pairing.next(1);
  expect(code).toMatchObject({ kind: "code", code: expect.stringMatching(/^[A-Z0-9]{8}$/) });
  await standIn.enterCode({ phone: mai, code: textOf(code) });
  await pairing.ended;
  expect(linkedTo(mai)).toHaveLength(1);
  standIn.unlink({ phone: mai });
});

test("codes are renewed; when nobody scanned the last one, the pairing has expired", async () => {
  const pairing = begin({ timing: { qrMs: 100 } });
  expect(await faultOf(pairing.ended)).toMatchObject({
    state: "attention",
    reason: { code: "qr_expired" },
  });
  expect(new Set(pairing.shown.map(textOf)).size).toBe(6);
});

test("a code that the server retires is shown anew at once, and the new one works", async () => {
  const pairing = begin();
  const retired = textOf(await pairing.next(1));
  standIn.refreshPairing(retired);
  const renewed = textOf(await pairing.next(2));
  const [[ref], [sameRef]] = [retired.split(","), renewed.split(",")];
  expect(renewed).not.toBe(retired);
  expect(sameRef).toBe(ref);
  await expect(standIn.scan({ phone: shop, qr: retired })).rejects.toThrow();
  await standIn.scan({ phone: shop, qr: renewed });
  await pairing.ended;
  standIn.unlink({ phone: shop });
});

test("another phone than the one that was named is let go again, and its owner is told", async () => {
  const pairing = begin({ context: contextOf(standIn, { credentials: { phone: shop } }) });
  await standIn.scan({ phone: zainab, qr: textOf(await pairing.next(1)) });
  expect(await faultOf(pairing.ended)).toMatchObject({
    state: "attention",
    reason: { code: "paired_with_another_number" },
  });
  expect(linkedTo(zainab)).toEqual([]);
});

test("a phone that belongs to another connection is let go again, and can pair elsewhere", async () => {
  const context = Object.assign(
    Object.create(contextOf(standIn, { credentials: { phone: "" } })) as MemoryContext,
    { identify: () => Promise.reject(new AddressTaken()) },
  );
  const pairing = begin({ context });
  await standIn.scan({ phone: mai, qr: textOf(await pairing.next(1)) });
  expect(await faultOf(pairing.ended)).toBeInstanceOf(AddressTaken);
  expect(linkedTo(mai)).toEqual([]);
});

test("let go in the middle, nothing stays open", async () => {
  const pairing = begin();
  await pairing.next(1);
  pairing.context.end();
  await expect(pairing.ended).rejects.toThrow();
  const { shown } = pairing;
  await expect(standIn.scan({ phone: shop, qr: shown.map(textOf).at(-1) ?? "" })).rejects.toThrow();
});
