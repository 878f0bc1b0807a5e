// The timeline of a message: what a person reads of its attempts and receipts.
import { expect, test } from "vitest";
import { messageTimeline } from "./timeline.ts";
import type { MessageFacts } from "./timeline.ts";

const at = (seconds: number): Date => new Date(1_781_000_000_000 + seconds * 1_000);
const facts: MessageFacts = {
  channel: "wa",
  status: "read",
  final: true,
  reason: null,
  refunded: false,
  partCount: 2,
  createdAt: at(0),
  updatedAt: at(9),
  sendAt: null,
  dueAt: null,
  attempts: [
    {
      part: 1,
      number: 1,
      started_at: at(1),
      finished_at: at(2),
      outcome: "sent",
      detail: { provider_message_id: "A1" },
    },
  ],
  receipts: [
    { part: 1, status: "delivered", at: at(3) },
    { part: 1, status: "read", at: at(5) },
  ],
};

test("what the provider reports stands behind the attempts, with its part and its time", () => {
  const entries = messageTimeline(facts);
  expect(entries.map(({ status, text }) => [status, text]).slice(3)).toEqual([
    ["delivered", "Delivered, part 1 of 2."],
    ["read", "Read, part 1 of 2."],
  ]);
  expect(entries.at(-1)?.at).toBe(at(5).toISOString());
  expect(messageTimeline({ ...facts, partCount: 1 }).at(-1)?.text).toBe("Read.");
});
