// Ranges: what each spelling asks of a file of ten bytes, and of an empty one.
import { expect, test } from "vitest";
import { readRange } from "./range.ts";

const outside = "unsatisfiable";

test.each([
  [undefined, null],
  ["bytes=0-0", [0, 0]],
  ["bytes=2-4", [2, 4]],
  ["bytes=2-", [2, 9]],
  ["bytes=0-9", [0, 9]],
  ["bytes=0-99", [0, 9]],
  ["bytes=9-", [9, 9]],
  ["bytes=-1", [9, 9]],
  ["bytes=-99", [0, 9]],
  ["Bytes=1-1", [1, 1]],
  [" bytes=1-1 ", [1, 1]],
  ["bytes=10-", outside],
  ["bytes=10-11", outside],
  ["bytes=99999999999999999999-", outside],
  ["bytes=-0", outside],
  ["bytes=4-2", null],
  ["bytes=0-1,3-4", null],
  ["bytes=-", null],
  ["bytes=", null],
  ["bytes=a-b", null],
  ["bytes=1.5-2", null],
  ["bytes=-1-2", null],
  ["items=0-1", null],
  ["", null],
])("%j", (header, wanted) => {
  const range = Array.isArray(wanted) ? { start: wanted[0], end: wanted[1] } : wanted;
  expect(readRange(header, 10)).toEqual(range);
});

test("an empty file has no range at all", () => {
  for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1"])
    expect(readRange(header, 0)).toBe(outside);
});
