// Runs one command: finds it by its words, reads its flags, prints its result or what is wrong.
import { nearestName } from "@thikaa/schema";
import { parseArguments } from "./arguments.ts";
import { HouseClient } from "./client.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands/table.ts";
import { readCliConfig } from "./config.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { Output } from "./output.ts";
import { Problem, usageProblem } from "./problem.ts";

/** Runs a command line and resolves to its exit code: 0, 1 when it failed, 2 when it was written wrongly. */
export async function run(given: readonly string[]): Promise<number> {
  try {
    return await runCommand(given);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

async function runCommand(given: readonly string[]): Promise<number> {
  if (given.length === 0 || ["--help", "-h", "help"].includes(given[0] ?? "")) {
    process.stdout.write(generalHelp(commands));
    return given.length === 0 ? 2 : 0;
  }
  const found = findCommand(given);
  if (typeof found === "string") {
    process.stdout.write(found);
    return 0;
  }
  const { name, command, rest } = found;
  const { words, flags } = parseArguments(name, command, rest);
  if (flags.has("help")) {
    process.stdout.write(commandHelp(name, command));
    return 0;
  }
  const config = readCliConfig();
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
  const context = {
    client: new HouseClient(config),
    config,
    output: new Output(flags.has("json")),
    words,
    flags,
    signal: stop.signal,
  };
  return (await command.run(context)) ?? 0;
}

interface Found {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly string[];
}

/** The longest command that the words begin with; the help of a group when only its first word is there. */
function findCommand(given: readonly string[]): Found | string {
  for (const length of [2, 1]) {
    const name = given.slice(0, length).join(" ");
    const command = commands.get(name);
    if (command !== undefined) return { name, command, rest: given.slice(length) };
  }
  const [first = "", second = ""] = given;
  const ofGroup = [...commands].filter(([name]) => name.startsWith(`${first} `));
  if (ofGroup.length > 0 && ["", "--help", "-h"].includes(second))
    return generalHelp(new Map(ofGroup));
  const typed = ofGroup.length > 0 ? `${first} ${second}` : first;
  const known =
    ofGroup.length > 0
      ? ofGroup.map(([name]) => name)
      : [...new Set([...commands.keys()].flatMap((name) => [name, name.split(" ")[0] ?? name]))];
  const nearest = nearestName(typed, known);
  throw usageProblem(
    `There is no command '${typed}'. ${nearest === null ? "See: thikaa --help" : `Did you mean '${nearest}'?`}`,
  );
}
