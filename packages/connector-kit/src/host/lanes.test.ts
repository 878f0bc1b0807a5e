// What is worth a claim: told and found lanes, busy ones, and what could not be remembered.
import { beforeEach, expect, test } from "vitest";
import type { BegunAttempt } from "@thikaa/sending";
import { Lanes } from "./lanes.ts";

let lanes: Lanes;

beforeEach(() => {
  lanes = new Lanes();
  lanes.saw();
});

const begun = (to: string, more = false): BegunAttempt => ({
  attemptId: `attempt ${to}`,
  storeId: "store",
  connectionId: "connection",
  messageId: `message ${to}`,
  channel: "tg",
  to,
  part: { n: 1, payload: null },
  partCount: 1,
  deadlineAt: new Date(0),
  more,
});
const taken = (limit: number) => [...lanes.take(limit).keys()];

test("it begins by looking through the table, up to the last lane", () => {
  const fresh = new Lanes();
  expect([fresh.walkFrom, fresh.sweepFrom]).toEqual(["", null]);
  fresh.saw({ addresses: [], after: "5" });
  expect([fresh.walkFrom, fresh.sweepFrom]).toEqual(["5", null]);
  fresh.saw({ addresses: ["7"], after: null });
  expect([fresh.walkFrom, fresh.sweepFrom]).toEqual([null, ""]);
  expect([...fresh.take(9)]).toEqual([["7", "sweep"]]);
});

test("a rung lane is tried once, in the order of the rings", () => {
  for (const to of ["3", "1", "3", "2"]) lanes.tell(to, "ring");
  expect([taken(2), taken(9), taken(9)]).toEqual([["3", "1"], ["2"], []]);
});

test("a ring for a lane in which a message is being sent waits for its end", () => {
  lanes.began(begun("1"));
  expect(lanes.tell("1", "ring")).toBe(false);
  expect(taken(9)).toEqual([]);
  lanes.ended(begun("1"));
  expect([...lanes.take(9)]).toEqual([["1", "lane"]]);
});

test("behind a claimed message the next one is tried, when there is one", () => {
  lanes.began(begun("1", true));
  lanes.began(begun("2", false));
  expect(lanes.messages).toEqual(["message 1", "message 2"]);
  lanes.ended(begun("1"));
  lanes.ended(begun("2"));
  expect(taken(9)).toEqual(["1"]);
});

test("what was told and what was found take turns", () => {
  for (const to of ["1", "2", "3"]) lanes.tell(to, "ring");
  lanes.saw({ addresses: ["7", "8", "9"], after: null });
  expect(taken(4)).toEqual(["1", "7", "2", "8"]);
});

test("a lane that was told and found is tried once; a busy one after its end", () => {
  lanes.tell("1", "ring");
  lanes.saw({ addresses: ["1", "2"], after: null });
  lanes.began(begun("2"));
  expect(taken(9)).toEqual(["1"]);
  lanes.ended(begun("2"));
  expect(taken(9)).toEqual(["2"]);
});

test("rings beyond what is remembered make it look through the table, from the first lane to the last", () => {
  for (let index = 0; index < 1_500; index++) lanes.tell(String(index), "ring");
  expect(taken(2_000)).toHaveLength(1_000);
  expect(lanes.walkFrom).toBe("");
  lanes.saw({ addresses: ["1200"], after: "1200" });
  expect(lanes.walkFrom).toBe(null);
  expect(taken(9)).toEqual(["1200"]);
  lanes.saw({ addresses: [], after: null });
  expect(lanes.walkFrom, "once more, for what was forgotten in the middle of it").toBe("");
  lanes.saw({ addresses: [], after: null });
  expect(lanes.walkFrom).toBe(null);
});

test("the look each second goes on where it stopped, and leads to more looking where it found something", () => {
  lanes.saw({ addresses: [], after: "500" });
  expect([lanes.sweepFrom, lanes.walkFrom]).toEqual(["500", null]);
  lanes.saw({ addresses: ["600"], after: "700" });
  expect([lanes.sweepFrom, taken(9), lanes.walkFrom]).toEqual([null, ["600"], "700"]);
});

test("in doubt every lane is looked at again", () => {
  lanes.saw({ addresses: [], after: "500" });
  lanes.doubt();
  expect([lanes.sweepFrom, lanes.walkFrom]).toEqual([null, ""]);
});
