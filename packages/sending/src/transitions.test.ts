// Transitions as a table: what a message does after each outcome, in each state of its row.
import { backoffMs } from "@thikaa/schema";
import { expect, test } from "vitest";
import { failed, notAsked, sent, throttled } from "./fixtures/lane.ts";
import { decide } from "./transitions.ts";
import type { QueueRow } from "./transitions.ts";

const row: QueueRow = {
  attempts: 1,
  failures: 0,
  poisons: 0,
  overdue: false,
  claimed: true,
  on_uncertain: "retry",
};
const [only, first, last] = [place(1, 1), place(1, 2), place(2, 2)];

test.each([
  ["sent, one part", sent("1"), only, row, { kind: "finish", status: "sent", reason: null }],
  ["sent, more parts", sent("1"), first, row, { kind: "next-part" }],
  ["sent, the last part", sent("1"), last, row, { kind: "finish", status: "sent", reason: null }],
  [
    "sent late, more parts, nobody holds it",
    sent("1"),
    first,
    { ...row, claimed: false },
    { kind: "wait", waitMs: 0, counts: false, uncertain: false },
  ],
  [
    "sent after the deadline",
    sent("1"),
    only,
    { ...row, overdue: true },
    { kind: "finish", status: "sent" },
  ],
  [
    "rejected",
    failed("rejected"),
    only,
    row,
    { kind: "finish", status: "failed", reason: { code: "rejected" } },
  ],
  [
    "throttled",
    throttled(7_000),
    only,
    row,
    { kind: "wait", waitMs: 7_000, counts: false, uncertain: false },
  ],
  [
    "throttled after the deadline",
    throttled(7_000),
    only,
    { ...row, overdue: true },
    { kind: "finish", status: "failed", reason: { code: "expired" } },
  ],
  [
    "unavailable",
    failed("unavailable"),
    only,
    row,
    { kind: "wait", waitMs: null, counts: true, failures: 1, uncertain: false },
  ],
  [
    "unavailable for the fifth time",
    failed("unavailable"),
    only,
    { ...row, failures: 4 },
    { kind: "wait", counts: true, failures: 5 },
  ],
  [
    "unavailable after the deadline",
    failed("unavailable"),
    only,
    { ...row, overdue: true },
    { kind: "finish", status: "failed", reason: { code: "expired" } },
  ],
  [
    "unavailable, since the provider was not even asked",
    notAsked,
    only,
    { ...row, failures: 2 },
    { kind: "wait", waitMs: 0, counts: false, uncertain: false },
  ],
  ["unauthorized", failed("unauthorized"), only, row, { kind: "wait", waitMs: 0, counts: false }],
  [
    "uncertain, retry",
    failed("uncertain"),
    only,
    row,
    { kind: "wait", waitMs: null, counts: true, uncertain: true },
  ],
  [
    "uncertain, hold",
    failed("uncertain"),
    only,
    { ...row, on_uncertain: "hold" as const },
    { kind: "finish", status: "uncertain", final: false },
  ],
  [
    "uncertain after the deadline",
    failed("uncertain"),
    only,
    { ...row, overdue: true },
    { kind: "finish", status: "uncertain", final: true },
  ],
  ["poison", failed("poison"), only, row, { kind: "wait", counts: true, failures: 1 }],
  [
    "poison after failures that were not ours",
    failed("poison"),
    only,
    { ...row, failures: 5 },
    { kind: "wait", counts: true, poison: true, failures: 6 },
  ],
  [
    "poison for the third time",
    failed("poison"),
    only,
    { ...row, failures: 2, poisons: 2 },
    { kind: "finish", status: "failed", reason: { code: "internal_error" } },
  ],
  [
    "sent, a later attempt begun",
    sent("1"),
    only,
    { ...row, attempts: 2 },
    { kind: "late", duplicate: true },
  ],
  [
    "rejected, a later attempt begun",
    failed("rejected"),
    only,
    { ...row, attempts: 2 },
    { kind: "late", duplicate: false },
  ],
  [
    "sent, the message has left the queue",
    sent("1"),
    only,
    null,
    { kind: "late", duplicate: false },
  ],
] as const)("%s", (_name, outcome, attempt, queued, step) => {
  expect(decide({ outcome, attempt, number: 1, row: queued })).toMatchObject(step);
});

test("backoff is 1 s, 5 s, 30 s, 2 m, 10 m, 30 m, 2 h, and 2 h from then on", () => {
  const middle = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => backoffMs(failures, 0.5));
  expect(middle).toEqual(
    [1, 5, 30, 120, 600, 1800, 7200, 7200, 7200].map((seconds) => seconds * 1000),
  );
});

test("backoff is spread by 20 % either way", () => {
  expect([backoffMs(3, 0), backoffMs(3, 0.999_999_9)]).toEqual([24_000, 36_000]);
  const drawn = Array.from({ length: 1_000 }, () => backoffMs(3));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(24_000);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(36_000);
  expect(new Set(drawn).size).toBeGreaterThan(500);
});

function place(n: number, partCount: number) {
  return { part: { n, payload: null }, partCount };
}
