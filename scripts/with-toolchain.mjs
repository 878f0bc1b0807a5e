// Runs a command with the pinned Node and pnpm, installing them and the workspace's packages first when they are missing or stale. Needs only Node >= 20 and npm.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const toolchain = join(root, "tools/toolchain");
const args = process.argv.slice(2);
const quiet = args[0] === "--quiet" && Boolean(args.shift());
const environment = {
  ...process.env,
  PATH:
    join(toolchain, "node_modules/.bin") +
    delimiter +
    join(root, "node_modules/.bin") +
    delimiter +
    process.env.PATH,
  COREPACK_ENABLE_STRICT: "0",
  TURBO_TELEMETRY_DISABLED: "1",
  // Types stripped and code compiled once, not at every start: a command of the CLI starts three times as fast.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, ".cache/compiled"),
};

installToolchain();
installWorkspace();
runCommand();

/** Downloads the pinned Node and pnpm from the npm registry once per change of their manifest. */
function installToolchain() {
  const stamp = join(toolchain, "node_modules/.stamp");
  const wanted = digest([join(toolchain, "package.json")]);
  if (isFresh(stamp, wanted)) return;
  progress("Fetching Node 24 and pnpm from the npm registry (once, about 120 MB) …");
  step(
    "npm",
    [
      "install",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--loglevel=error",
    ],
    toolchain,
  );
  // With scripts ignored, pnpm's launcher stays a placeholder that other programs cannot execute; this links the binary.
  step(process.execPath, [join(toolchain, "node_modules/pnpm/install.js")], toolchain);
  if (!existsSync(join(toolchain, "node_modules/.bin/node")) && major(process.versions.node) < 24) {
    fail(
      `No Node 24 for ${process.platform}-${process.arch} in the npm registry. Install Node 24 yourself and run this again.`,
    );
  }
  writeFileSync(stamp, wanted);
}

/** Installs the workspace from the frozen lockfile once per change of any manifest. */
function installWorkspace() {
  const stamp = join(root, "node_modules/.stamp");
  const manifests = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"].map((name) =>
    join(root, name),
  );
  const wanted = digest([
    ...manifests,
    ...packageManifests("apps"),
    ...packageManifests("packages"),
  ]);
  if (isFresh(stamp, wanted)) return;
  progress("Installing packages from the lockfile …");
  step(
    "pnpm",
    ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"],
    root,
  );
  writeFileSync(stamp, wanted);
}

/** Runs the command, passes signals on, and ends as the command ended. When whoever started it dies, the command is asked to stop. */
function runCommand() {
  const [command, ...rest] = args;
  if (!command) return;
  const cwd = process.env.INIT_CWD && quiet ? process.env.INIT_CWD : root;
  // The channel is never used: it closes when this process dies, however it dies, and a long-lived child stops by that.
  const stdio = ["inherit", "inherit", "inherit", ...(command === "node" ? ["ipc"] : [])];
  const child = spawn(command, rest, { stdio, cwd, env: environment });
  // A terminal signals the whole group, a supervisor only this process: passing it on serves both, a second copy does no harm.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  const startedBy = process.ppid;
  setInterval(() => process.ppid === startedBy || child.kill("SIGTERM"), 500).unref();
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) =>
    process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)),
  );
}

function packageManifests(folder) {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "node_modules") continue;
    const manifest = join(root, folder, entry.name, "package.json");
    if (existsSync(manifest)) found.push(manifest);
    else found.push(...packageManifests(join(folder, entry.name)));
  }
  return found.toSorted();
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(existsSync(file) ? readFileSync(file) : "").update("\0");
  return hash.digest("hex");
}

function isFresh(stamp, wanted) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
}

function step(command, parameters, cwd) {
  // What installers print goes to stderr, so that a command's own output stays clean for pipes.
  const result = spawnSync(command, parameters, {
    cwd,
    env: environment,
    stdio: ["ignore", quiet ? "ignore" : 2, 2],
  });
  if (result.error) fail(`${command}: ${result.error.message}`);
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status) process.exit(result.status);
}

function progress(text) {
  process.stderr.write(`▸ ${text}\n`);
}

function fail(text) {
  process.stderr.write(`✗ ${text}\n`);
  process.exit(1);
}

function major(version) {
  return Number(version.split(".")[0]);
}
