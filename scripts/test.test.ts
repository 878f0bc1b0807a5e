// Checks what `npm test` says and how it ends, on small suites of its own.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Outcome {
  code: number;
  output: string;
  lastLine: string;
}

/** Runs the script on one test file in a folder of its own, without the repository's set-up. */
async function runSuite(text: string, ...args: string[]): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-suite-"));
  try {
    await writeFile(
      join(folder, "vitest.config.mjs"),
      "export default { test: { globals: true } };",
    );
    await writeFile(join(folder, "small.test.js"), text);
    return await run(["--root", folder, "--config", join(folder, "vitest.config.mjs"), ...args]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, "test.mjs"), ...args],
      (error, stdout, stderr) => {
        const lastLine = stdout.trimEnd().split("\n").at(-1) ?? "";
        resolve({
          code: error === null ? 0 : Number(error.code),
          output: stdout + stderr,
          lastLine,
        });
      },
    );
  });
}

test("all pass: exit 0, and the numbers alone on the last line", async () => {
  const outcome = await runSuite("test('one', () => {}); test('two', () => {});");
  expect(outcome).toMatchObject({ code: 0, lastLine: "2 passed, 0 failed" });
});

test("a failure is shown in full and counted: exit 1", async () => {
  const outcome = await runSuite(
    "test('good', () => {}); test('bad', () => expect('left').toBe('right'));",
  );
  expect(outcome).toMatchObject({ code: 1, lastLine: "1 passed, 1 failed" });
  expect(outcome.output).toContain("expected 'left' to be 'right'");
});

test("a file that can't be loaded counts as a failure", async () => {
  const outcome = await runSuite("throw new Error('broken file');");
  expect(outcome).toMatchObject({ code: 1, lastLine: "0 passed, 1 failed" });
});

test("a fault outside any test counts as a failure", async () => {
  const outcome = await runSuite(
    "test('good', async () => { setTimeout(() => { throw new Error('stray'); }); await new Promise((done) => setTimeout(done, 100)); });",
  );
  expect(outcome).toMatchObject({ code: 1, lastLine: "1 passed, 1 failed" });
});

test("no test ran: exit 1", async () => {
  const outcome = await runSuite("test('good', () => {});", "-t", "no such name");
  expect(outcome).toMatchObject({ code: 1, lastLine: "0 passed, 0 failed" });
});
