// What follows from each end of a socket.
import { expect, test } from "vitest";
import type { SocketEnd } from "./platform/socket-end.ts";
import { reasons } from "./reasons.ts";
import { verdictOf } from "./verdicts.ts";

const now = 1_795_000_000_000;
const end: SocketEnd = { code: 428, says: "", deviceRemoved: false, expires: null };
const judge = (given: Partial<SocketEnd>, replacedBefore = false) =>
  verdictOf({ ...end, ...given }, { replacedBefore, now });

test("replaced once it waits, replaced again it stops: no owner fights with another", () => {
  expect(judge({ code: 440 })).toMatchObject({ kind: "later", waitMs: 30_000 });
  expect(judge({ code: 440 }, true)).toEqual({ kind: "stop", reason: "replaced" });
});

test("a device that was removed is unlinked, whatever number the server gave", () => {
  for (const code of [401, 440])
    expect(judge({ code, deviceRemoved: true })).toEqual({
      kind: "stop",
      reason: "logged_out",
      unlinked: true,
    });
});

test.each([
  ["as a time", now / 1_000 + 7_200, 7_200_000],
  ["as seconds from now", 7_200, 7_200_000],
  ["not at all", null, 3_600_000],
  ["as a time that has passed", now / 1_000 - 5, 60_000],
])("a ban's end is told %s", (_how, expires, waitMs) => {
  expect(judge({ code: 402, expires })).toMatchObject({ state: "limited", waitMs });
});

test("what nobody knows is tried again, and deletes no keys", () => {
  for (const code of [400, 409, 418, 500, 501, 599])
    expect(judge({ code })).toEqual({
      kind: "later",
      state: "recovering",
      reason: "connection_ended",
    });
});

test("every reason is said in English and in Arabic", () => {
  for (const { en, ar } of Object.values(reasons)) {
    expect(en).toMatch(/^[A-Z].*\.$/);
    expect(ar).toMatch(/[\u0600-\u06ff].*\.$/);
  }
});
