// `npm run test:mutations [words of names]`: spoils the code in a scratch copy, one safeguard at a time, and expects its test to go red.
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { table } from "../faults/table.ts";
import { mutations } from "./mutations.ts";
import type { Mutation } from "./mutation.ts";
import { makeScratch } from "./scratch.ts";

type Verdict = "killed" | "SURVIVED" | "NO LONGER APPLIES" | "RED WITHOUT IT";

const root = join(import.meta.dirname, "../..");

/** Without a mutation: the tests themselves must be green, or their redness says nothing. */
const green = new Map<string, Promise<boolean>>();

async function judge(folder: string, mutation: Mutation): Promise<Verdict> {
  const path = join(folder, mutation.file);
  const code = await readFile(path, "utf8");
  if (code.split(mutation.find).length !== 2) return "NO LONGER APPLIES";
  const tests = `${mutation.test} ${mutation.named ?? ""}`;
  if (!green.has(tests)) green.set(tests, passes(folder, mutation));
  if (!(await green.get(tests))) return "RED WITHOUT IT";
  await writeFile(
    path,
    code.replace(mutation.find, () => mutation.replace),
  );
  try {
    return (await passes(folder, mutation)) ? "SURVIVED" : "killed";
  } finally {
    await writeFile(path, code);
  }
}

function passes(folder: string, { test, named }: Mutation): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      join(folder, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=dot",
      test,
      ...(named === undefined ? [] : ["-t", named]),
    ],
    { cwd: folder, stdio: "ignore" },
  );
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}

const words = process.argv.slice(2).join(" ").toLowerCase();
const wanted = mutations.filter(({ name }) => name.toLowerCase().includes(words));
const scratch = await makeScratch(root);
const rows: { verdict: Verdict; mutation: string; promise: string }[] = [];
try {
  for (const mutation of wanted) {
    const verdict = await judge(scratch.folder, mutation);
    rows.push({ verdict, mutation: mutation.name, promise: mutation.promise });
    process.stdout.write(`${verdict.padEnd(17)} ${mutation.name}\n`);
  }
} finally {
  await scratch.remove();
}
const left = rows.filter(({ verdict }) => verdict !== "killed");
process.stdout.write(`\n${table(rows)}\n\n${rows.length - left.length} of ${rows.length} killed\n`);
process.exitCode = left.length > 0 || rows.length === 0 ? 1 : 0;
