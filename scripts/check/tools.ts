// The checks that other programs do: the formatter, the linter and the type checker, each run once over everything.
import { spawnSync } from "node:child_process";
import type { Tree } from "./tree.ts";

/** What a program said: nothing when all is well, else its own words. */
export type Outcome = string | undefined;

/** Formatting, as .oxfmtrc.json asks. */
export function checkFormat({ root }: Tree): Outcome {
  const listed = run(root, ["oxfmt", "--list-different", "."]);
  return listed === undefined ? undefined : `${listed}\nFormat them: npm run format`;
}

/** Lint, as .oxlintrc.json asks. Its type-aware rules see other packages' types in their builds, so it builds first. */
export function checkLint({ root }: Tree): Outcome {
  return (
    build(root) ??
    run(root, ["oxlint", "--type-aware", "--format=unix", "--report-unused-disable-directives"])
  );
}

/** Types of the whole house from its sources, and of each page for the browser with its own settings. */
export function checkTypes({ root, files }: Tree): Outcome {
  const pages = files.filter((file) => /^apps\/.*\/web\/tsconfig\.json$/.test(file));
  const said = ["tsconfig.json", ...pages].map((project) =>
    run(root, ["tsc", "-p", project, "--noEmit", "--pretty", "false"]),
  );
  return said.some((text) => text !== undefined) ? said.filter(Boolean).join("\n") : undefined;
}

function build(root: string): Outcome {
  const said = run(root, [
    "turbo",
    "run",
    "build",
    "--output-logs=errors-only",
    "--ui=stream",
    "--continue=dependencies-successful",
  ]);
  if (said === undefined) return undefined;
  const faults = said.split("\n").filter((line) => line.includes("error TS"));
  return [
    "The build failed, so types of other packages are unknown to the linter:",
    ...faults,
  ].join("\n");
}

function run(root: string, [program = "", ...rest]: readonly string[]): Outcome {
  const { status, error, stdout, stderr } = spawnSync(program, rest, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error !== undefined) return `${program} could not be started: ${error.message}`;
  return status === 0
    ? undefined
    : `${stdout}${stderr}`.trim() || `${program} ended with ${status}`;
}
