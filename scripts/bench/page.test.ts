// The page of performance: who measures one scene leaves the sections of the others alone.
import { expect, test } from "vitest";
import { page } from "./page.ts";
import type { Line } from "./report.ts";

const rounds = { count: 5, seconds: 4 };
const line = (value: string): Line[] => [
  { what: "Something", value, ratio: 0.5, floor: "floor", target: "≥ 0.4" },
];
const titles = (text: string) => [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);

test("a scene measured alone replaces its own section, in its place, and no other", () => {
  const whole = page(
    "",
    new Map([
      ["accepting", line("100/s")],
      ["whatsapp", line("200/s")],
    ]),
    rounds,
  );
  const again = page(whole, new Map([["accepting", line("300/s")]]), { count: 1, seconds: 9 });
  expect(again).toBe(whole.replace("100/s", "300/s").replace("5 rounds of 4 s", "1 rounds of 9 s"));
  expect(again).toContain("| Something | 200/s | 0.50 | floor | ≥ 0.4 |");
  const more = page(again, new Map([["memory", line("50 MB")]]), rounds);
  expect(titles(more)).toEqual(["Accepting", "Memory", "WhatsApp by QR"]);
});

test("a section says with which command and in which rounds it was measured", () => {
  const text = page("", new Map([["receiving", line("1/s")]]), rounds);
  expect(text).toContain("`npm run bench -- --only receiving`: 5 rounds of 4 s; ");
  expect(titles(text)).toEqual(["Receiving"]);
});
