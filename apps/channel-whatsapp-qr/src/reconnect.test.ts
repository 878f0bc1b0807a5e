// Every way in which WhatsApp ends a session, on its own protocol: what is tried again comes back, what needs a person says so.
import { ConnectionFault, NotPaired } from "@thikaa/connector-kit";
import { waitFor } from "@thikaa/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { contextOf, Linked, shop, zainab } from "./fixtures/linked.ts";
import type { Timing } from "./timing.ts";

/** Why the open connection needs a person, as the host learns it. */
async function needsPerson({ account }: Linked): Promise<string> {
  const ended = await account.polling?.poll(AbortSignal.timeout(10_000)).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(ended instanceof ConnectionFault)) throw new Error("The session went on.");
  expect(ended.state).toBe("attention");
  return ended.reason.code;
}

function openings({ standIn }: Linked): number {
  return standIn.phone(shop).linked[0]?.openings ?? 0;
}

const quickTiming: Partial<Timing> = { keepAliveMs: 400, acknowledgeMs: 500 };

describe("what passes", () => {
  let linked: Linked;
  beforeAll(async () => {
    linked = await Linked.open({ timing: quickTiming });
  });
  afterAll(() => linked.close());

  test.each([
    { end: { by: "reset" }, reason: "connection_lost" },
    { end: { by: "stream_end" }, reason: "connection_lost" },
    { end: { by: "stream_error", code: 500 }, reason: "connection_ended" },
    { end: { by: "stream_error", code: 503 }, reason: "provider_unavailable" },
    { end: { by: "stream_error", code: 515 }, reason: null },
  ] as const)("$end comes back by itself, and says so meanwhile", async ({ end, reason }) => {
    const [before, said] = [openings(linked), linked.context.reports.length];
    linked.standIn.disconnect({ phone: shop, ...end });
    await waitFor(
      () => openings(linked) > before && linked.context.reports.at(-1)?.state === "connected",
      { what: "the session to come back", deadlineMs: 10_000 },
    );
    const reports = linked.context.reports.slice(said);
    expect(reports[0]).toMatchObject({ state: "recovering", reason: { code: "reconnecting" } });
    if (reason !== null) expect(reports[1]?.reason?.code).toBe(reason);
    const text = JSON.stringify(end);
    await linked.says(zainab, text);
    await linked.untilTexts([text]);
    expect(await linked.send(zainab, text)).toMatchObject({ class: "sent" });
  });

  test("a server that says nothing any more is left, and what was written meanwhile comes", async () => {
    const [before, said] = [openings(linked), linked.context.reports.length];
    const mute = linked.standIn.faults.add({ kind: "mute", phone: shop, times: "always" });
    await linked.says(zainab, "to a mute server");
    await waitFor(() => linked.context.reports.at(-1)?.state === "recovering", {
      what: "the silence to be noticed",
      deadlineMs: 10_000,
    });
    // Never called connected as long as it is not.
    await waitFor(() => linked.context.reports.at(-1)?.reason?.code === "no_answer", {
      what: "a try that nobody answers",
      deadlineMs: 30_000,
    });
    expect(linked.context.reports.slice(said).map(({ state }) => state)).not.toContain("connected");
    mute.remove();
    await linked.untilTexts(["to a mute server"]);
    expect(openings(linked)).toBeGreaterThan(before);
    await waitFor(() => linked.context.reports.at(-1)?.state === "connected", {
      what: "the word that it is back",
    });
  });

  test("a session that answers but takes no messages any more is opened anew", async () => {
    const deaf = linked.standIn.faults.add({ kind: "deaf", phone: shop, times: "always" });
    await linked.says(zainab, "to a deaf session");
    const before = openings(linked);
    linked.standIn.faults.add({ kind: "no_ack", phone: shop });
    expect(await linked.send(zainab, "is anybody there?")).toMatchObject({ class: "uncertain" });
    deaf.remove();
    await linked.untilTexts(["to a deaf session"]);
    expect(openings(linked)).toBeGreaterThan(before);
  });

  test("a login that is never told to be complete still hears", async () => {
    linked.standIn.faults.add({ kind: "no_offline_end", phone: shop });
    const before = openings(linked);
    linked.standIn.disconnect({ phone: shop, by: "reset" });
    await waitFor(() => openings(linked) > before, { what: "the login" });
    await linked.says(zainab, "after half a login");
    await linked.untilTexts(["after half a login"]);
  });

  test("two sockets at once were never open", () => {
    expect(linked.standIn.phone(shop).linked[0]?.conflicts).toBe(0);
  });
});

test("a session that brings nothing for long is opened anew though the server answers, and nobody had to send", async () => {
  const linked = await Linked.open({ timing: { uneventfulMs: 1_000 } });
  onTestFinished(() => linked.close());
  const deaf = linked.standIn.faults.add({ kind: "deaf", phone: shop, times: "always" });
  await linked.says(zainab, "to a deaf session");
  await waitFor(() => linked.context.reports.at(-1)?.state === "recovering", {
    what: "the deafness to be noticed",
    deadlineMs: 10_000,
  });
  deaf.remove();
  await linked.untilTexts(["to a deaf session"]);
});

describe("what needs a person", () => {
  let linked: Linked;
  afterEach(() => linked.close());

  test("unlinked by the phone: messages wait, the keys are put aside, and pairing begins with new ones", async () => {
    linked = await Linked.open();
    linked.standIn.unlink({ phone: shop });
    expect(await needsPerson(linked)).toBe("logged_out");
    expect(await linked.send(zainab, "waits")).toMatchObject({
      class: "unauthorized",
      reason: { code: "logged_out" },
    });
    await linked.account.disconnect();
    const nobodyPairs = contextOf(linked.standIn, { credentials: { phone: "9647799999999" } });
    const again = Object.assign(Object.create(nobodyPairs) as typeof nobodyPairs, {
      state: linked.context.state,
    });
    await expect(linked.connector.connect(again)).rejects.toThrow(NotPaired);
    const kept = await linked.context.state.get(["device", "pairing-1/creds"]);
    expect(JSON.parse(kept.get("device") ?? "")).toMatchObject({
      pairing: 2,
      number: shop,
      aside: [{ pairing: 1 }],
    });
    expect(kept.has("pairing-1/creds")).toBe(true);
    await linked.reopen();
    expect(await linked.send(zainab, "after pairing again")).toMatchObject({ class: "sent" });
  });

  test.each([
    { reason: 401, code: "logged_out", state: "attention" },
    { reason: 403, code: "banned", state: "attention" },
    { reason: 405, code: "client_outdated", state: "attention" },
    { reason: 402, code: "temporarily_banned", state: "limited" },
    { reason: 503, code: "provider_unavailable", state: "recovering" },
  ])("a login refused with $reason is $state: $code", async ({ reason, code, state }) => {
    linked = await Linked.open();
    linked.standIn.faults.add({ kind: "login_failure", reason, phone: shop });
    await expect(linked.reopen()).rejects.toMatchObject({ state, reason: { code } });
  });

  test("a phone without linked devices any more asks for another pairing", async () => {
    linked = await Linked.open();
    linked.standIn.disconnect({ phone: shop, by: "downgrade" });
    expect(await needsPerson(linked)).toBe("pairing_outdated");
  });

  test("replaced once, it says so and waits; it does not fight", async () => {
    linked = await Linked.open();
    const before = openings(linked);
    linked.standIn.disconnect({ phone: shop, by: "replaced" });
    await waitFor(() => linked.context.reports.at(-1)?.reason?.code === "replaced", {
      what: "the word that it was replaced",
    });
    expect(openings(linked)).toBe(before);
  });
});
