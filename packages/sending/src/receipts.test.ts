// Receipts: they move parts and messages forwards only, a message stands where its lowest part stands, and a reported failure is refunded by the rule.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "@thikaa/schema";
import { openLane, sent } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { applyReceipts } from "./receipts.ts";
import type { AppliedReceipts, Receipt } from "./receipts.ts";
import { settle } from "./settle.ts";
import { afterReceipt } from "./transitions.ts";

let lane: Lane;
let last = 0;

beforeAll(async () => {
  lane = await openLane("sending_receipts");
  await lane.database.query({
    text: `INSERT INTO channel_descriptions (channel, description) VALUES ('tg', '{"capabilities":{"receipts":"read"}}')`,
  });
});

afterAll(() => lane.close());

/** Sends a message of so many parts, as far as there are outcomes; gives its id and the provider's ids of its parts. */
async function send(parts: number, outcomes?: Outcome[]): Promise<{ id: string; ids: string[] }> {
  const number = ++last;
  const ids = Array.from({ length: parts }, (_, n) => `p${number}-${n + 1}`);
  const text = ids.join("\n");
  const id = await lane.accept({ to: `someone-${number}`, content: { text, media: null } });
  let [attempt] = await lane.claim();
  for (const outcome of outcomes ?? ids.map(sent)) {
    if (attempt === undefined) throw new Error("Nothing was claimed.");
    ({
      next: [attempt],
    } = await settle(lane.database, [{ attempt, outcome }]));
  }
  return { id, ids };
}

function receipt(providerMessageId: string, status: Receipt["status"]): Receipt {
  const { connectionId } = lane;
  return { connectionId, address: null, providerMessageId, status, reason: null, at: null };
}

function apply(...receipts: Receipt[]): Promise<AppliedReceipts> {
  return lane.database.transaction((transaction) => applyReceipts(transaction, receipts));
}

describe("a part after a receipt", () => {
  test.each([
    ["sent", "delivered", "delivered"],
    ["sent", "read", "read"],
    ["delivered", "read", "read"],
    ["read", "delivered", null],
    ["delivered", "delivered", null],
    ["sent", "sent", null],
    ["sent", "failed", "failed"],
    ["delivered", "failed", null],
    ["failed", "delivered", null],
  ] as const)("%s, told %s: %s", (status, told, after) => {
    expect(afterReceipt(status, told)).toBe(after);
  });
});

test("delivered, then read: each is told once, read is final", async () => {
  const { id, ids } = await send(1);
  const [first = ""] = ids;
  expect(await apply(receipt(first, "delivered"))).toMatchObject({ eventsFor: [lane.storeId] });
  expect(await lane.message(id)).toMatchObject({ status: "delivered", final: false });
  await apply(receipt(first, "read"));
  expect(await lane.message(id)).toMatchObject({ status: "read", final: true });
  expect(await apply(receipt(first, "delivered"), receipt(first, "read"))).toEqual({
    unknown: new Set(),
    eventsFor: [],
  });
  expect(await lane.statuses(id)).toEqual(["queued", "sent", "delivered", "read"]);
});

test("several receipts of one message in one batch are told as the furthest", async () => {
  const { id, ids } = await send(1);
  const [first = ""] = ids;
  await apply(receipt(first, "read"), receipt(first, "delivered"));
  expect(await lane.message(id)).toMatchObject({ status: "read", final: true });
  expect(await lane.statuses(id)).toEqual(["queued", "sent", "read"]);
});

test("a message stands where its lowest part stands", async () => {
  const { id, ids } = await send(2);
  const [first = "", second = ""] = ids;
  await apply(receipt(first, "read"));
  expect(await lane.message(id)).toMatchObject({ status: "sent", final: false });
  await apply(receipt(second, "delivered"));
  expect(await lane.message(id)).toMatchObject({ status: "delivered", final: false });
  await apply(receipt(second, "read"));
  expect(await lane.message(id)).toMatchObject({ status: "read", final: true });
});

test("a receipt of the first part leaves a message alone whose second is still being sent", async () => {
  const { id, ids } = await send(2, [sent(`p${last + 1}-1`)]);
  await apply(receipt(ids[0] ?? "", "read"));
  expect(await lane.message(id)).toMatchObject({ status: "sending", final: false });
  expect((await lane.parts(id)).map(({ status }) => status)).toEqual(["read", "queued"]);
});

test("a late outcome of an earlier attempt takes no receipt back", async () => {
  const id = await lane.accept({ to: `someone-${++last}` });
  const [slow] = await lane.claim();
  if (slow === undefined) throw new Error("Nothing was claimed.");
  const unknown = { code: "timeout", message: "", provider_code: null, provider_message: null };
  await settle(lane.database, [
    { attempt: slow, outcome: { class: "uncertain", reason: unknown } },
  ]);
  await lane.shift(id, "due_at", "-3 hours");
  const [again] = await lane.claim();
  if (again === undefined) throw new Error("Nothing was claimed again.");
  await settle(lane.database, [{ attempt: again, outcome: sent("late-2") }]);
  await apply(receipt("late-2", "read"));
  await settle(lane.database, [{ attempt: slow, outcome: sent("late-1") }]);
  expect(await lane.parts(id)).toEqual([{ n: 1, status: "read", provider_message_id: "late-2" }]);
  expect(await lane.message(id)).toMatchObject({ status: "read", final: true });
});

test("reported as failed: the message has failed, says why, and is refunded; once", async () => {
  const before = await lane.money();
  const { id, ids } = await send(1);
  const reason = {
    code: "not_delivered",
    message: "The person can't be reached.",
    provider_code: "131026",
    provider_message: "Message undeliverable",
  };
  const failed = { ...receipt(ids[0] ?? "", "failed"), reason };
  await apply(failed);
  await apply(failed, receipt(ids[0] ?? "", "delivered"));
  expect(await lane.message(id)).toMatchObject({
    status: "failed",
    final: true,
    reason,
    refunded: true,
  });
  expect(await lane.money()).toEqual(before);
  expect(await lane.statuses(id)).toEqual(["queued", "sent", "failed"]);
});

test("reported as failed in one of its parts: another one was taken, so the price stays", async () => {
  const before = await lane.money();
  const { id, ids } = await send(2);
  await apply(receipt(ids[1] ?? "", "failed"));
  expect(await lane.message(id)).toMatchObject({
    status: "failed",
    final: true,
    refunded: false,
    reason: { code: "provider_reported_failure" },
  });
  const { balance, ledger } = await lane.money();
  expect([balance, ledger]).toEqual([before.balance - 1, before.ledger - 1]);
});

test("an id that is not ours, or another person's of the same number, is told as unknown and is no error", async () => {
  const { id, ids } = await send(1);
  const [first = ""] = ids;
  const elsewhere = { ...receipt(first, "read"), address: "somebody else" };
  const here = { ...receipt(first, "delivered"), address: `someone-${last}` };
  expect(await apply(receipt("none", "read"), elsewhere, here)).toEqual({
    unknown: new Set([0, 1]),
    eventsFor: [lane.storeId],
  });
  expect(await lane.message(id)).toMatchObject({ status: "delivered" });
});
