// Where long text is cut, and that nothing visible of it is lost.
import fc from "fast-check";
import { expect, test } from "vitest";
import { splitText } from "./split-text.ts";

const visible = (text: string) => text.replace(/\s+/g, "");

test("a short text is one piece, unchanged, white space and all", () => {
  expect(splitText("  hi \n", 10)).toEqual(["  hi \n"]);
  expect(splitText("x".repeat(10), 10)).toEqual(["x".repeat(10)]);
});

test("a text is cut at the end of a paragraph, else of a line, else of a word", () => {
  expect(splitText("first one\n\nsecond one here", 16)).toEqual(["first one", "second one here"]);
  expect(splitText("first one\nsecond one here", 16)).toEqual(["first one", "second one here"]);
  expect(splitText("first one second one here", 16)).toEqual(["first one second", "one here"]);
  expect(splitText("a\n\nlong words follow now", 16)).toEqual(["a\n\nlong words", "follow now"]);
});

test("a word longer than a piece is cut between characters", () => {
  expect(splitText("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
});

test("surrogate pairs, joined emoji and marks stay whole", () => {
  expect(splitText("abc😀def", 4)).toEqual(["abc", "😀de", "f"]);
  const family = "👨‍👩‍👧‍👦";
  expect(splitText(`${"a".repeat(15)}${family}b`, 20)).toEqual(["a".repeat(15), `${family}b`]);
  expect(splitText("aaaبَbb", 4)).toEqual(["aaa", "بَbb"]);
});

test("a character longer than a piece is cut, but never inside a surrogate pair", () => {
  const pieces = splitText("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 4);
  expect(pieces.join("")).toBe("👨‍👩‍👧‍👦👨‍👩‍👧‍👦");
  expect(pieces.every((piece) => piece.isWellFormed() && piece.length <= 4)).toBe(true);
});

test("a piece of white space alone is left out, since it can't be sent", () => {
  expect(splitText(`a${" ".repeat(30)}b`, 10)).toEqual(["a", "b"]);
});

test("any text: no piece is too long, torn or empty, and all that is visible is there in order", () => {
  const word = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1 }),
    fc.constantFrom("\n\n", "\n", " ", "\r\n", "👨‍👩‍👧‍👦", "كلمة", "🇮🇶"),
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 120 }),
      fc.integer({ min: 16, max: 60 }),
      (words, limit) => {
        const text = words.join("");
        const pieces = splitText(text, limit);
        expect(pieces.every((piece) => piece.length <= limit)).toBe(true);
        expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
        expect(visible(pieces.join(""))).toBe(visible(text));
        if (text.trim() !== "") expect(pieces.every((piece) => piece.trim() !== "")).toBe(true);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});

test("white space without end is cut in time", () => {
  const begun = performance.now();
  splitText(`${" ".repeat(65_000)}x${"\n".repeat(500)}`, 4096);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
