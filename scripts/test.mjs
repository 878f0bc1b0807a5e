// What `npm test` runs: the whole suite, quietly, with a closing line "N passed, N failed". Further arguments go to vitest.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const chromium = "/usr/bin/chromium";
const args = process.argv.slice(2);

if (mayRunBrowserTests()) ensureChromium();
const folder = mkdtempSync(join(tmpdir(), "thikaa-report-"));
try {
  const reports = [];
  let code = 0;
  for (const own of runs()) {
    reports.push(join(folder, `report-${reports.length}.json`));
    code = Math.max(code, await runVitest(reports.at(-1), own));
    if (code > 128) break;
  }
  process.exitCode = conclude(reports, code);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Files share a process with others, which spares each of them loading everything anew; those that change what is global in
 * a process are called `*.alone.test.ts` and have their own. The fault tests come after the others: they judge by time, and
 * most of theirs is waiting for it.
 */
function runs() {
  if (args.some((argument) => !argument.startsWith("-"))) return [args];
  return [
    ["--no-isolate", "--exclude=scripts/faults/**", "--exclude=**/*.alone.test.ts", ...args],
    ["scripts/faults", ".alone.test.ts", ...args],
  ];
}

/** The browser tests lie in three apps: a run of something else needs no browser. */
function mayRunBrowserTests() {
  const filters = args.filter((argument) => !argument.startsWith("-"));
  return (
    filters.length === 0 || filters.some((filter) => /console|simulator|standalone/.test(filter))
  );
}

/** Installs Chromium where that is possible; else says what is missing, and the browser tests fail. */
function ensureChromium() {
  if (existsSync(chromium)) return;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0)
    return tell(
      `✗ The browser tests need Chromium at ${chromium} and will fail. Install it: apt-get install chromium`,
    );
  tell("▸ Installing Chromium from the distribution's packages …");
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const step of [
    ["-qq", "update"],
    ["-qq", "install", "-y", "--no-install-recommends", "chromium"],
  ]) {
    const { status, stderr } = spawnSync("apt-get", step, {
      env: environment,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (status !== 0)
      return tell(
        `✗ Chromium could not be installed, so the browser tests will fail: ${lastLine(stderr)}`,
      );
  }
}

/** Runs vitest to its end and gives its exit code. */
function runVitest(report, own) {
  const reporters = [
    "--reporter=dot",
    "--reporter=json",
    `--outputFile.json=${report}`,
    "--silent=passed-only",
  ];
  const child = spawn(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", ...reporters, ...own],
    { cwd: root, stdio: "inherit" },
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      tell(`✗ vitest: ${error.message}`);
      resolve(1);
    });
    child.on("exit", (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
}

/** Prints the closing line and gives the exit code: vitest's own, but never success without a test. */
function conclude(reports, code) {
  if (code > 128 && !reports.every((report) => existsSync(report))) {
    tell("✗ Interrupted before the end.");
    return code;
  }
  const counts = reports.map(count);
  const passed = counts.reduce((sum, each) => sum + each.passed, 0);
  const failed = counts.reduce((sum, each) => sum + each.failed, 0);
  // A fault outside any test (in a hook of the run, for example) must not read as "0 failed".
  process.stdout.write(`\n${passed} passed, ${code === 0 ? failed : Math.max(failed, 1)} failed\n`);
  if (code === 0 && passed + failed === 0) tell("✗ No test ran.");
  return code === 0 && (failed > 0 || passed === 0) ? 1 : code;
}

function count(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // A file that could not be loaded, or whose set-up failed, has no failed test of its own.
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  return { passed: numPassedTests, failed: numFailedTests + brokenFiles.length };
}

function lastLine(text) {
  return text.trim().split("\n").at(-1);
}

function tell(text) {
  process.stderr.write(`${text}\n`);
}
