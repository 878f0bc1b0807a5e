// Words and flags: what is taken, what is refused and with which hint; and that every command explains itself.
import { expect, test, vi } from "vitest";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands/table.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { run } from "./run.ts";
import { sinceFlag } from "./values.ts";

function parse(line: string) {
  const words = line.split(" ");
  const name = commands.has(words.slice(0, 2).join(" "))
    ? words.slice(0, 2).join(" ")
    : (words[0] ?? "");
  const command = commands.get(name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return parseArguments(name, command, words.slice(name.split(" ").length));
}

test("flags stand anywhere, with a space or an equals sign, and may repeat where that makes sense", () => {
  const { words, flags } = parse(
    "connection add --store shop tg --name=main --set a=1 --set b=c=d --json",
  );
  expect(words).toEqual(["tg"]);
  expect([
    flags.text("store"),
    flags.text("name"),
    flags.many("set"),
    flags.has("json"),
    flags.has("no-wait"),
  ]).toEqual(["shop", "main", ["a=1", "b=c=d"], true, false]);
});

test("a number below zero is a word, not a flag", () => {
  expect(parse("store credit shop -5").words).toEqual(["shop", "-5"]);
});

test.each([
  ["store create x --credts 5", "Did you mean --credits?"],
  ["store create", "needs <slug>"],
  ["key create --store shop", "needs --name NAME and --channels LIST"],
  ["store show a b", "does not take 'b'"],
  ["store create x --credits", "--credits needs a value"],
  ["store create x --name --json", "--name needs a value"],
  ["store create x --credits 1 --credits 2", "may be given once"],
  ["store list --json=yes", "--json takes no value"],
])("'%s' is refused: %s", (line, hint) => {
  expect(() => parse(line)).toThrow(hint);
});

test.each([
  [["stor"], "Did you mean 'store'?"],
  [["key", "creat"], "Did you mean 'key create'?"],
  [["zzzzzzzz"], "See: thikaa --help"],
])("%j is no command: %s", async (words, hint) => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const code = await run(words);
  const text = written.mock.calls.map(([piece]) => String(piece)).join("");
  written.mockRestore();
  expect([code, text]).toEqual([2, expect.stringContaining(hint)]);
});

test("every command is in the general help and has a help of its own with all its flags", () => {
  const general = generalHelp(commands);
  for (const [name, command] of commands as ReadonlyMap<string, Command>) {
    expect(general).toContain(`  ${[name, ...command.words].join(" ")}`);
    const own = commandHelp(name, command);
    expect(own).toContain(`Usage: thikaa ${name}`);
    for (const flag of [...Object.keys(command.flags), "json", "help"])
      expect(own).toContain(`--${flag}`);
  }
});

test("--since takes spans and times, and nothing else", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");
  expect(["90s", "30m", "1h", "2d"].map((text) => sinceFlag(text, now))).toEqual([
    "2026-11-22T09:58:30.000Z",
    "2026-11-22T09:30:00.000Z",
    "2026-11-22T09:00:00.000Z",
    "2026-11-20T10:00:00.000Z",
  ]);
  expect(sinceFlag("2026-11-22T08:00:00+03:00", now)).toBe("2026-11-22T05:00:00.000Z");
  expect(() => sinceFlag("yesterday", now)).toThrow("--since must be a span");
});
