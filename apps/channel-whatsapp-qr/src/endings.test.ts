// The table of verdicts, row by row, on WhatsApp's own protocol: who is asked for help, what becomes of the keys, and when a try follows.
import { ConnectionFault, NotPaired } from "@thikaa/connector-kit";
import type { Connector } from "@thikaa/connector-kit";
import { waitFor } from "@thikaa/testkit";
import type { MemoryContext } from "@thikaa/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { createConnector } from "./connector.ts";
import { Linked, shop, zainab } from "./fixtures/linked.ts";
import type { LinkedOptions } from "./fixtures/linked.ts";
import { quick } from "./fixtures/pairing.ts";

let linked: Linked;
afterEach(() => linked.close());

const open = async (options: LinkedOptions = {}) => void (linked = await Linked.open(options));

/** Why the open session gave up. */
async function givesUp(): Promise<ConnectionFault> {
  const fault = await linked.account.polling?.poll(AbortSignal.timeout(10_000)).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(fault instanceof ConnectionFault)) throw new Error("The session went on.");
  return fault;
}

/** How often a login of the shop's device was tried. */
const logins = () =>
  linked.standIn.record.entries({ kind: "refused" }).length +
  linked.standIn.record.entries({ kind: "opened" }).length;

async function deviceRecord(): Promise<unknown> {
  const kept = await linked.context.state.get(["device"]);
  return JSON.parse(kept.get("device") ?? "null");
}

/** Connects as a process does that nobody asked to pair. */
async function connectAlone(context: MemoryContext = linked.context): Promise<void> {
  await linked.account.disconnect();
  const alone: Connector = createConnector(quick);
  linked.account = await alone.connect(context);
}

/** The next login is refused with this number; the session has to log in again now. */
function refuseLogin(reason: number, attributes: Record<string, string> = {}): void {
  linked.standIn.faults.add({ kind: "login_failure", reason, attributes, phone: shop });
  linked.standIn.disconnect({ phone: shop, by: "reset" });
}

describe("what ends a session for good", () => {
  test.each([
    { code: 401, says: "logged_out", again: { pairing: 2 } },
    { code: 403, says: "banned", again: { pairing: 2 } },
    { code: 405, says: "client_outdated", again: { pairing: 1 } },
    { code: 411, says: "pairing_outdated", again: { pairing: 2 } },
  ])(
    "$code stops at once and says $says; the keys are kept, and pairing again works",
    async ({ code, says, again }) => {
      await open();
      const before = logins();
      if (code === 411) linked.standIn.disconnect({ phone: shop, by: "downgrade" });
      else refuseLogin(code);
      const fault = await givesUp();
      expect(fault).toMatchObject({ state: "attention", reason: { code: says } });
      expect(fault.message).toMatch(/^[A-Z].*(phone|Pair|operator).*\.$/);
      expect(logins()).toBe(before + (code === 411 ? 0 : 1));
      expect(await linked.send(zainab, "waits")).toMatchObject({
        class: "unauthorized",
        reason: { code: says },
      });
      expect(await linked.context.state.get(["pairing-1/creds"])).toHaveProperty("size", 1);
      await linked.reopen();
      expect(await deviceRecord()).toMatchObject(again);
      expect(await linked.send(zainab, `after ${code}`)).toMatchObject({ class: "sent" });
    },
  );

  test.each([403, 405])(
    "after %i the next process tries with the same keys, and goes on when WhatsApp lets it in",
    async (code) => {
      await open();
      refuseLogin(code);
      await givesUp();
      await connectAlone();
      expect(await deviceRecord()).toMatchObject({ pairing: 1, refused: false, aside: [] });
      expect(await linked.send(zainab, "the same device")).toMatchObject({ class: "sent" });
    },
  );

  test("after 401 the next process still says that the phone was logged out", async () => {
    await open();
    refuseLogin(401);
    await givesUp();
    await expect(connectAlone()).rejects.toSatisfy(
      (fault) => fault instanceof NotPaired && fault.reason.code === "logged_out",
    );
  });

  test("405 is tried again slowly even if nobody does anything", async () => {
    await open();
    refuseLogin(405);
    expect(await givesUp()).toMatchObject({ retryAfterMs: 3_600_000 });
  });

  test("replaced once it comes back once; replaced again it stops, and says so", async () => {
    await open({ timing: { replacedWaitMs: 100 } });
    const before = logins();
    linked.standIn.disconnect({ phone: shop, by: "replaced" });
    await waitFor(() => logins() === before + 1, { what: "the one try", deadlineMs: 10_000 });
    await linked.says(zainab, "in between");
    await linked.untilTexts(["in between"]);
    linked.standIn.disconnect({ phone: shop, by: "replaced" });
    expect(await givesUp()).toMatchObject({ state: "attention", reason: { code: "replaced" } });
    expect(logins()).toBe(before + 1);
  });
});

describe("a ban that ends", () => {
  const hourMs = 3_600_000;
  const clock = { now: new Date("2026-11-30T18:04:30Z") };
  const movable = { through: () => ({ clock: () => clock.now }) };

  test("is said with its end, and until then nobody knocks, whichever process asks", async () => {
    await open(movable);
    refuseLogin(402, { expire: String(2 * 3_600) });
    const banned = await waitFor(
      () => linked.context.reports.findLast(({ state }) => state === "limited"),
      { what: "the word of the ban", deadlineMs: 10_000 },
    );
    expect(banned.reason?.code).toBe("temporarily_banned");
    expect(banned.reason?.message).toContain("The ban ends at 2026-11-30 20:05 UTC.");
    const before = logins();
    await expect(connectAlone()).rejects.toMatchObject({
      state: "limited",
      retryAfterMs: 2 * hourMs,
      reason: banned.reason,
    });
    expect(logins()).toBe(before);
    clock.now = new Date(clock.now.getTime() + 2 * hourMs);
    await connectAlone();
    expect(await linked.send(zainab, "after the ban")).toMatchObject({ class: "sent" });
    expect(await deviceRecord()).toMatchObject({ pairing: 1, ban: null });
  });

  test("without an end is tried after an hour; whoever asks for pairing need not wait", async () => {
    await open(movable);
    refuseLogin(402);
    await waitFor(() => linked.context.reports.findLast(({ state }) => state === "limited"), {
      what: "the word of the ban",
      deadlineMs: 10_000,
    });
    await expect(connectAlone()).rejects.toMatchObject({ retryAfterMs: hourMs });
    await linked.reopen();
    expect(await linked.send(zainab, "asked to")).toMatchObject({ class: "sent" });
  });
});

test("500 again and again is tried on with the same keys, and the operator's log says that it does not come back", async () => {
  const errors: string[] = [];
  await open({
    through: ({ log }) => ({ log: { ...log, error: (_, sentence) => void errors.push(sentence) } }),
  });
  const failing = linked.standIn.faults.add({
    kind: "login_failure",
    reason: 500,
    phone: shop,
    times: "always",
  });
  linked.standIn.disconnect({ phone: shop, by: "stream_error", code: 500 });
  await waitFor(() => errors.length > 0, { what: "the alarm", deadlineMs: 20_000 });
  expect(errors).toEqual(["a session does not come back; it is tried on"]);
  expect(linked.context.reports.at(-1)).toMatchObject({
    state: "recovering",
    reason: { code: "connection_ended" },
  });
  failing.remove();
  await linked.says(zainab, "and back");
  await linked.untilTexts(["and back"]);
  expect(await deviceRecord()).toMatchObject({ pairing: 1, aside: [] });
});
