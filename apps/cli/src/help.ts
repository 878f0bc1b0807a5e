// The help texts, made from the table of commands.
import { commonFlags } from "./arguments.ts";
import type { Command, Flag } from "./command.ts";

const surroundings = `Settings: THIKAA_URL (default http://127.0.0.1:$PORT, PORT 3000), THIKAA_ADMIN_TOKEN (else adminToken in $THIKAA_DATA_DIR/secrets.json).
`;

/** All commands with one line each. */
export function generalHelp(commands: ReadonlyMap<string, Command>): string {
  const entries = [...commands].map(
    ([name, command]) => [[name, ...command.words].join(" "), command.about] as const,
  );
  const width = Math.max(...entries.map(([usage]) => usage.length));
  const lines = entries.map(([usage, about]) => `  ${usage.padEnd(width)}  ${about}`);
  return `Usage: thikaa <command> [flags]\n\n${lines.join("\n")}\n\nEach command has --help, and --json for programs.\n${surroundings}`;
}

/** One command with its flags. */
export function commandHelp(name: string, command: Command): string {
  const all = Object.entries({ ...command.flags, ...commonFlags });
  const required = Object.entries(command.flags).filter(([, flag]) => flag.required === true);
  const usage = [
    "thikaa",
    name,
    ...command.words,
    ...required.map(([flag, { value }]) => `--${flag} ${value ?? ""}`.trim()),
    "[flags]",
  ].join(" ");
  const width = Math.max(...all.map(([flag, details]) => flagUsage(flag, details).length));
  const lines = all.map(
    ([flag, details]) =>
      `  ${flagUsage(flag, details).padEnd(width)}  ${details.about}${details.many === true ? " (may be repeated)" : ""}`,
  );
  return `Usage: ${usage}\n\n${command.about}.\n\n${lines.join("\n")}\n\n${surroundings}`;
}

function flagUsage(name: string, flag: Flag): string {
  return flag.value === null ? `--${name}` : `--${name} ${flag.value}`;
}
