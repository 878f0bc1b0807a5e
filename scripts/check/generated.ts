// Generated files: which there are, how each is made, and whether what is committed is still what its generator prints.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Finding } from "./findings.ts";

/** A committed file that a command prints. */
export interface Generator {
  /** Relative to the root. */
  readonly file: string;
  /** Program and arguments, run at the root; what it prints is the file's whole text. */
  readonly command: readonly [string, ...string[]];
}

/** Every generated file. `npm run check -- --only generated --write` writes them all anew. */
export const generators: readonly Generator[] = [
  {
    file: "docs/reference/openapi.json",
    command: ["node", "--conditions=source", "apps/gateway/src/docs/print-openapi.ts"],
  },
  {
    file: "docs/reference/errors.md",
    command: ["node", "--conditions=source", "apps/gateway/src/docs/print-errors.ts"],
  },
  {
    file: "docs/reference/metrics.md",
    command: ["node", "--conditions=source", "scripts/check/print-metrics.ts"],
  },
  {
    file: "docs/reference/channels/telegram.md",
    command: ["node", "--conditions=source", "scripts/check/print-channel.ts", "channel-telegram"],
  },
];

/** Runs each generator and compares; with `write` it writes what differs instead of reporting it. */
export function checkGenerated(
  root: string,
  { list = generators, write = false }: { list?: readonly Generator[]; write?: boolean } = {},
): Finding[] {
  return list.flatMap(({ file, command: [program, ...rest] }) => {
    const path = join(root, file);
    const made = execFileSync(program, rest, {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (existsSync(path) && readFileSync(path, "utf8") === made) return [];
    if (!write)
      return [
        {
          file,
          text: "no longer what its generator prints: npm run check -- --only generated --write",
        },
      ];
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, made);
    return [];
  });
}
