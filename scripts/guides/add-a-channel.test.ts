// The guide "Add a channel", followed to the letter in a scratch copy: the toy that it adds sends and receives, and nothing else was touched.
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { natsUrl, plainEnvironment, postgresUrl } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { checkImportLaw } from "../check/import-law.ts";
import { checkNamingLaw } from "../check/naming-law.ts";
import { checkStructure } from "../check/structure.ts";
import { readTree } from "../check/tree.ts";
import { makeScratch } from "../mutations/scratch.ts";
import type { Scratch } from "../mutations/scratch.ts";

const root = join(import.meta.dirname, "../..");
const app = "apps/channel-pigeon";
const longMs = 300_000;

/** A block of the guide: a new file, or lines after one that begins so. */
interface Block {
  readonly path: string;
  readonly after: string | undefined;
  readonly text: string;
}

let scratch: Scratch;
let blocks: readonly Block[];

beforeAll(async () => {
  scratch = await makeScratch(root);
  blocks = blocksOf(await readFile(join(root, "docs/guides/add-a-channel.md"), "utf8"));
  for (const block of blocks) await follow(block);
  await install();
}, longMs);
afterAll(() => scratch.remove());

test("it touches one new app, one stand-in and one line of the schema", () => {
  const elsewhere = blocks.filter(
    ({ path }) => !path.startsWith(`${app}/`) && !path.startsWith("packages/stand-ins/src/"),
  );
  expect(elsewhere.map(({ path, text }) => [path, text.trim().split("\n").length])).toEqual([
    ["packages/schema/src/channels.ts", 1],
  ]);
});

test("what it adds keeps the laws of the house", () => {
  const tree = readTree(scratch.folder);
  const findings = [checkImportLaw, checkStructure, checkNamingLaw].flatMap((check) => check(tree));
  const ours = new Set(blocks.map(({ path }) => path));
  expect(findings.filter(({ file }) => ours.has(file))).toEqual([]);
});

test("its types fit", { timeout: longMs }, async () => {
  const config = {
    extends: "./tsconfig.json",
    include: [`${app}/src`, "packages/stand-ins/src/pigeon", "packages/schema/src/channels.ts"],
  };
  await writeFile(join(scratch.folder, "tsconfig.guide.json"), JSON.stringify(config));
  expect(await run("node_modules/typescript/bin/tsc", ["-p", "tsconfig.guide.json"])).toEqual({
    code: 0,
    output: "",
  });
});

test(
  "the conformance suite is green for it, and a message goes through the whole house and back",
  { timeout: longMs },
  async () => {
    const line = "scripts/guides/pigeon-line.test.ts";
    await cp(join(import.meta.dirname, "fixtures/pigeon-line.txt"), join(scratch.folder, line));
    const { code, output } = await run("node_modules/vitest/vitest.mjs", [
      "run",
      "--no-color",
      app,
      line,
    ]);
    expect(output).toMatch(/Test Files +2 passed/);
    expect(code, output).toBe(0);
  },
);

/** Every fenced block that names its place. */
function blocksOf(guide: string): Block[] {
  const fence = /^```\w+ (?:file|line)=(\S+)(?: after="([^"]+)")?\n(.*?)^```$/gms;
  return [...guide.matchAll(fence)].map(([, path = "", after, text = ""]) => ({
    path,
    after,
    text,
  }));
}

async function follow({ path, after, text }: Block): Promise<void> {
  const file = join(scratch.folder, path);
  if (after === undefined) {
    await mkdir(dirname(file), { recursive: true });
    return writeFile(file, text);
  }
  const lines = (await readFile(file, "utf8")).split("\n");
  const at = lines.findIndex((line) => line.startsWith(after));
  if (at === -1) throw new Error(`${path} has no line that begins with '${after}'.`);
  lines.splice(at + 1, 0, text.trimEnd());
  await writeFile(file, lines.join("\n"));
}

/** What `pnpm install` does for the new package, without the network: its links. */
async function install(): Promise<void> {
  const shape = z.object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  });
  const manifest: unknown = JSON.parse(
    await readFile(join(scratch.folder, app, "package.json"), "utf8"),
  );
  const { dependencies, devDependencies } = shape.parse(manifest);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const link = join(scratch.folder, app, "node_modules", name);
    const target = version.startsWith("workspace:")
      ? join(scratch.folder, "packages", name.replace("@thikaa/", ""))
      : join(scratch.folder, "packages/connector-kit/node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(relative(dirname(link), target), link);
  }
}

/** Runs a program of the scratch copy there; gives its exit code and all that it wrote. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(scratch.folder, program), ...args], {
    cwd: scratch.folder,
    env: {
      ...plainEnvironment(),
      THIKAA_TEST_POSTGRES_URL: postgresUrl(),
      NATS_URL: natsUrl(),
    },
  });
  let output = "";
  child.stdout.on("data", (piece: Buffer) => void (output += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => void (output += piece.toString()));
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  return { code: await ended.promise, output };
}
