// Reads a command's words and flags; what is not known is named with the nearest known one.
import { nearestName } from "@thikaa/schema";
import { Flags } from "./command.ts";
import type { Command, Flag } from "./command.ts";
import { usageProblem } from "./problem.ts";

/** Flags that every command has. */
export const commonFlags: Readonly<Record<string, Flag>> = {
  json: { value: null, about: "Print one JSON object" },
  help: { value: null, about: "Show this help" },
};

export interface Arguments {
  readonly words: readonly string[];
  readonly flags: Flags;
}

/** Parses what follows a command's name. Throws `Problem` for anything the command does not know, and for what is missing. */
export function parseArguments(
  name: string,
  command: Command,
  given: readonly string[],
): Arguments {
  const known = { ...command.flags, ...commonFlags };
  const words: string[] = [];
  const values = new Map<string, string[]>();
  for (let index = 0; index < given.length; index++) {
    const word = given[index] ?? "";
    if (!word.startsWith("--") || word === "--") {
      if (word !== "--") words.push(word === "-h" ? takeHelp(values) : word);
      continue;
    }
    const [flagName, inline] = splitFlag(word);
    const flag = known[flagName];
    if (flag === undefined) throw usageProblem(unknownFlag(name, flagName, Object.keys(known)));
    const value = flag.value === null ? noValue(flagName, inline) : (inline ?? given[++index]);
    if (
      value === undefined ||
      (inline === undefined && flag.value !== null && value.startsWith("--"))
    )
      throw usageProblem(`--${flagName} needs a value: --${flagName} ${flag.value ?? ""}`);
    if (values.has(flagName) && flag.many !== true)
      throw usageProblem(`--${flagName} may be given once only.`);
    values.set(flagName, [...(values.get(flagName) ?? []), value]);
  }
  const flags = new Flags(values);
  const kept = words.filter((word) => word !== "");
  if (!flags.has("help")) checkComplete(name, command, { words: kept, flags });
  return { words: kept, flags };
}

function checkComplete(name: string, command: Command, { words, flags }: Arguments): void {
  const missing = [
    ...command.words.slice(words.length).map((word) => word),
    ...Object.entries(command.flags).flatMap(([flagName, flag]) =>
      flag.required === true && !flags.has(flagName) ? [`--${flagName} ${flag.value ?? ""}`] : [],
    ),
  ];
  if (missing.length > 0)
    throw usageProblem(`'${name}' needs ${missing.join(" and ")}.\nSee: thikaa ${name} --help`);
  const extra = words[command.words.length];
  if (extra !== undefined)
    throw usageProblem(`'${name}' does not take '${extra}'.\nSee: thikaa ${name} --help`);
}

function splitFlag(word: string): [name: string, inline: string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word.slice(2), undefined] : [word.slice(2, equals), word.slice(equals + 1)];
}

function noValue(name: string, inline: string | undefined): string {
  if (inline !== undefined) throw usageProblem(`--${name} takes no value.`);
  return "";
}

function takeHelp(values: Map<string, string[]>): string {
  values.set("help", [""]);
  return "";
}

function unknownFlag(command: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return `'${command}' has no flag --${name}. ${nearest === null ? `It has: ${known.map((flag) => `--${flag}`).join(", ")}.` : `Did you mean --${nearest}?`}`;
}
