// Settling: each outcome class, parts in order, retries that repeat none, and late evidence that is never refused.
import type { Outcome } from "@thikaa/schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BegunAttempt } from "./claim-types.ts";
import { failed, openLane, sent, throttled } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { recoverClaims } from "./recover.ts";
import { settle } from "./settle.ts";

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("sending_settle");
});

afterEach(() => lane.close());

const threeParts = { content: { text: "one\ntwo\nthree", media: null } };

async function begin(): Promise<BegunAttempt> {
  const [attempt] = await lane.claim();
  if (attempt === undefined) throw new Error("Nothing was claimed.");
  return attempt;
}

function end(attempt: BegunAttempt, outcome: Outcome) {
  return settle(lane.database, [{ attempt, outcome }]);
}

/** The row becomes due, and is claimed again. */
async function again(id: string): Promise<BegunAttempt> {
  await lane.shift(id, "due_at", "-3 hours");
  return begin();
}

test("sent: the part has its id, the message is final where no receipts come, and stays paid", async () => {
  const id = await lane.accept();
  const settled = await end(await begin(), sent("51"));
  expect(settled).toEqual({ next: [], eventsFor: [lane.storeId] });
  expect(await lane.parts(id)).toEqual([{ n: 1, status: "sent", provider_message_id: "51" }]);
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    reason: null,
    refunded: false,
    possible_duplicate: false,
  });
  expect(await lane.queued(id)).toBeNull();
  expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
  expect(await lane.statuses(id)).toEqual(["queued", "sent"]);
});

test("sent is not final where the channel reports receipts", async () => {
  await lane.database.query({
    text: `INSERT INTO channel_descriptions (channel, description) VALUES ('tg', '{"capabilities":{"receipts":"read"}}')`,
  });
  const id = await lane.accept();
  await end(await begin(), sent("51"));
  expect(await lane.message(id)).toMatchObject({ status: "sent", final: false });
});

test("rejected: failed at once, with the reason and the money", async () => {
  const id = await lane.accept();
  await end(await begin(), failed("rejected"));
  expect(await lane.message(id)).toMatchObject({
    status: "failed",
    final: true,
    refunded: true,
    reason: { code: "rejected" },
  });
  expect(await lane.money()).toEqual({ balance: 1000, ledger: 1000 });
  expect(await lane.statuses(id)).toEqual(["queued", "failed"]);
});

test.each([
  ["throttled", throttled(90_000), { min: 89_000, max: 90_000, failures: 0, uncertain: false }],
  ["unavailable", failed("unavailable"), { min: 700, max: 1_200, failures: 1, uncertain: false }],
  ["unauthorized", failed("unauthorized"), { min: -2_000, max: 1, failures: 0, uncertain: false }],
  ["uncertain", failed("uncertain"), { min: 700, max: 1_200, failures: 1, uncertain: true }],
  ["poison", failed("poison"), { min: 700, max: 1_200, failures: 1, uncertain: false }],
] as const)(
  "%s: the message waits, unrefunded, with the reason",
  async (code, outcome, expected) => {
    const id = await lane.accept();
    await end(await begin(), outcome);
    const row = await lane.queued(id);
    expect(row).toMatchObject({
      attempts: 1,
      failures: expected.failures,
      claimed: false,
      uncertain: expected.uncertain,
    });
    expect(row?.wait_ms).toBeGreaterThan(expected.min);
    expect(row?.wait_ms).toBeLessThanOrEqual(expected.max);
    expect(await lane.message(id)).toMatchObject({
      status: "queued",
      final: false,
      refunded: false,
      reason: { code },
      possible_duplicate: false,
    });
    expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
  },
);

test("poison is given up after the third time, as our fault, with the money back", async () => {
  const id = await lane.accept();
  await end(await begin(), failed("poison"));
  await end(await again(id), failed("poison"));
  await end(await again(id), failed("poison"));
  expect(await lane.message(id)).toMatchObject({
    status: "failed",
    refunded: true,
    reason: { code: "internal_error" },
  });
});

test("refused after an attempt that may have been taken: uncertain for good, and not refunded", async () => {
  const id = await lane.accept();
  await end(await begin(), failed("uncertain"));
  await end(await again(id), failed("rejected"));
  expect(await lane.message(id)).toMatchObject({
    status: "uncertain",
    final: true,
    refunded: false,
  });
});

test("uncertain, then sent by another attempt: flagged as a possible duplicate in the claim that begins it", async () => {
  const id = await lane.accept();
  await end(await begin(), failed("uncertain"));
  const second = await again(id);
  expect(await lane.message(id)).toMatchObject({ status: "sending", possible_duplicate: true });
  await end(second, sent("52"));
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    possible_duplicate: true,
  });
});

test("uncertain, then sent again where a repeat is the same message: flagged neither by its claim nor by the late outcome", async () => {
  const id = await lane.accept();
  const [first] = await lane.claim({ sameWhenRepeated: ["tg"] });
  if (first === undefined) throw new Error("Nothing was claimed.");
  const { epoch } = await lane.takeOver();
  const { storeId, connectionId } = lane;
  await recoverClaims(lane.database, { storeId, connectionId, epoch });
  await lane.shift(id, "due_at", "-3 hours");
  const [second] = await lane.claim({ sameWhenRepeated: ["tg"] });
  if (second === undefined) throw new Error("It was not claimed again.");
  await end(first, sent("51"));
  expect(await lane.message(id)).toMatchObject({ status: "sending", possible_duplicate: false });
  await end(second, sent("51"));
  expect(await lane.message(id)).toMatchObject({ status: "sent", possible_duplicate: false });
});

test("uncertain on a connection that holds: it stays so, out of the queue and unrefunded, until evidence comes", async () => {
  await lane.database.query({
    text: `UPDATE connections SET settings = '{"on_uncertain":"hold"}'`,
  });
  const id = await lane.accept();
  const attempt = await begin();
  await end(attempt, failed("uncertain"));
  expect(await lane.message(id)).toMatchObject({
    status: "uncertain",
    final: false,
    refunded: false,
  });
  expect(await lane.queued(id)).toBeNull();
  expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
  await end(attempt, sent("51"));
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    possible_duplicate: false,
    reason: null,
  });
  expect(await lane.statuses(id)).toEqual(["queued", "uncertain", "sent"]);
});

test("parts go out one after the other under one claim", async () => {
  const id = await lane.accept(threeParts);
  const settled = await end(await begin(), sent("1"));
  expect(settled.next).toMatchObject([
    { messageId: id, part: { n: 2, payload: { text: "two" } }, partCount: 3 },
  ]);
  expect(await lane.message(id)).toMatchObject({ status: "sending" });
  const [second] = settled.next;
  const [third] = second === undefined ? [] : (await end(second, sent("2"))).next;
  expect(third).toMatchObject({ part: { n: 3 } });
  if (third !== undefined) await end(third, sent("3"));
  expect((await lane.parts(id)).map((part) => part.provider_message_id)).toEqual(["1", "2", "3"]);
  expect(await lane.message(id)).toMatchObject({ status: "sent", final: true });
  expect((await lane.attempts(id)).map(({ number, part }) => [number, part])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test("a retry goes on at the first part not sent, by the plan of the first claim", async () => {
  const id = await lane.accept(threeParts);
  const [second] = (await end(await begin(), sent("1"))).next;
  if (second !== undefined) await end(second, failed("unavailable"));
  await lane.shift(id, "due_at", "-3 hours");
  const [resumed] = await lane.claim({ plan: () => [{ n: 1, payload: "another plan" }] });
  expect(resumed).toMatchObject({ part: { n: 2, payload: { text: "two" } }, partCount: 3 });
});

test("a message of which a part was taken is not refunded when the rest fails", async () => {
  const id = await lane.accept(threeParts);
  const [second] = (await end(await begin(), sent("1"))).next;
  if (second !== undefined) await end(second, failed("rejected"));
  expect(await lane.message(id)).toMatchObject({ status: "failed", final: true, refunded: false });
  expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
});

test("the same outcome again changes nothing, nor does another one after a known one", async () => {
  const id = await lane.accept(threeParts);
  const attempt = await begin();
  const { next } = await end(attempt, sent("1"));
  expect(next).toHaveLength(1);
  // The next part's attempt is told again: the first answer may have been lost with its connection.
  for (const outcome of [sent("1"), sent("9")])
    expect(await end(attempt, outcome)).toEqual({ next, eventsFor: [] });
  for (const outcome of [failed("rejected"), failed("uncertain")])
    expect(await end(attempt, outcome)).toEqual({ next: [], eventsFor: [] });
  expect((await lane.parts(id))[0]).toEqual({ n: 1, status: "sent", provider_message_id: "1" });
  expect(await lane.attempts(id)).toHaveLength(2);
});

test("a message that ended uncertain at its deadline is sent after all when the evidence comes", async () => {
  const id = await lane.accept(threeParts);
  const [second] = (await end(await begin(), sent("1"))).next;
  if (second === undefined) throw new Error("There is no second part.");
  await lane.shift(id, "deadline_at", "-2 days");
  const [third] = (await end(second, sent("2"))).next;
  if (third === undefined) throw new Error("There is no third part.");
  await end(third, failed("uncertain"));
  expect(await lane.message(id)).toMatchObject({ status: "uncertain", final: true });
  expect(await end(third, sent("3"))).toEqual({ next: [], eventsFor: [lane.storeId] });
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    reason: null,
    refunded: false,
  });
  expect(await end(third, sent("3"))).toEqual({ next: [], eventsFor: [] });
});

test("evidence for one part leaves a message uncertain while another part is", async () => {
  await lane.database.query({
    text: `UPDATE connections SET settings = '{"on_uncertain":"hold"}'`,
  });
  const id = await lane.accept(threeParts);
  const attempt = await begin();
  await end(attempt, failed("uncertain"));
  await end(attempt, sent("1"));
  expect(await lane.message(id)).toMatchObject({ status: "uncertain", final: false });
});

test("a take-over makes open attempts uncertain, and the late outcome of the old owner is kept", async () => {
  const id = await lane.accept();
  const old = await begin();
  const { epoch } = await lane.takeOver();
  const owner = { storeId: lane.storeId, connectionId: lane.connectionId, epoch };
  expect(await recoverClaims(lane.database, owner)).toMatchObject({ recovered: 1 });
  expect(await recoverClaims(lane.database, owner)).toMatchObject({ recovered: 0 });
  expect(await lane.message(id)).toMatchObject({
    status: "queued",
    reason: { code: "worker_lost" },
  });
  await end(old, sent("51"));
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    possible_duplicate: false,
  });
  expect(await lane.queued(id)).toBeNull();
  await lane.shift(id, "due_at", "-3 hours");
  expect(await lane.claim()).toEqual([]);
});

test("when a later attempt had begun, both ids are kept and the message is flagged", async () => {
  const id = await lane.accept();
  const old = await begin();
  const { epoch } = await lane.takeOver();
  await recoverClaims(lane.database, {
    storeId: lane.storeId,
    connectionId: lane.connectionId,
    epoch,
  });
  const second = await again(id);
  await end(old, sent("51"));
  expect(await lane.message(id)).toMatchObject({ status: "sending", possible_duplicate: true });
  await end(second, sent("52"));
  expect((await lane.attempts(id)).map(({ provider_message_id }) => provider_message_id)).toEqual([
    "51",
    "52",
  ]);
  expect(await lane.parts(id)).toEqual([{ n: 1, status: "sent", provider_message_id: "51" }]);
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    possible_duplicate: true,
  });
});

test("a late success of a part lets the message go on at the next one", async () => {
  const id = await lane.accept(threeParts);
  const old = await begin();
  const { epoch } = await lane.takeOver();
  await recoverClaims(lane.database, {
    storeId: lane.storeId,
    connectionId: lane.connectionId,
    epoch,
  });
  expect((await end(old, sent("1"))).next).toEqual([]);
  expect(await begin()).toMatchObject({ messageId: id, part: { n: 2 } });
  expect(await lane.message(id)).toMatchObject({ possible_duplicate: false });
});

test("outcomes of many messages are settled in one call, each by itself", async () => {
  const all = [
    await lane.accept({ to: "1" }),
    await lane.accept({ to: "2" }),
    await lane.accept({ to: "3" }),
  ];
  const begun = await lane.claim();
  const outcomes = [sent("1"), failed("rejected"), failed("unavailable")];
  await settle(
    lane.database,
    begun.map((attempt, index) => ({ attempt, outcome: outcomes[index] ?? sent("?") })),
  );
  expect(await Promise.all(all.map(async (id) => (await lane.message(id)).status))).toEqual([
    "sent",
    "failed",
    "queued",
  ]);
});
