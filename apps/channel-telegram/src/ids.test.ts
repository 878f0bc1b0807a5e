// Recipients: what is written is read back, and what can't be a chat is refused.
import { expect, test } from "vitest";
import { readRecipient, writeRecipient } from "./ids.ts";

test.each(["700000001", "-1001987654321", "@shop_news", "5550002/bc_9xQ"])(
  "%s is read and written back the same",
  (text) => {
    const chat = readRecipient(text);
    expect(chat === null ? null : writeRecipient(chat)).toBe(text);
  },
);

test.each([
  "",
  "0",
  "abc",
  "+9647700000001",
  "12 34",
  "12345678901234567",
  "@ab",
  "1/",
  "1/a b",
  "1/2/3",
  "٧٠٠",
])("%j is no chat", (text) => {
  expect(readRecipient(text)).toBeNull();
});
