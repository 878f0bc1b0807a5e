// A server as a child process that outlives a Ctrl-C to our process group but never, for long, ourselves.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { serverEnvironment } from "./config.ts";

/** What to run and how to end it. */
export interface SupervisedCommand {
  command: string;
  args: string[];
  /** One of the server's own arguments, unlike any other process's (its data folder): the watcher knows the server by it. */
  mark: string;
  workingFolder: string;
  /** Receives the server's output; the previous run's file is kept as `<name>.old`. */
  logFile: string;
  gracefulSignal: NodeJS.Signals;
  /** Sent when the graceful signal had no effect after `graceMs`. */
  forcedSignal: NodeJS.Signals;
  graceMs: number;
  uid?: number | undefined;
  gid?: number | undefined;
}

/** How a server ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running server. */
export interface Supervised {
  pid: number;
  /** Resolves when the server has ended, for whatever reason; never rejects. */
  exited: Promise<Exit>;
  /** Ends the server and resolves when it is gone. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Waits on a pipe from us: a line means we stopped the server ourselves, end of file that we died.
 * Arguments: pid, mark, graceful signal, forced signal, grace in tenths of a second.
 */
const WATCHER = `
read -r line && exit 0
ours() { tr '\\0' '\\n' <"/proc/$1/cmdline" | grep -qxF -e "$2"; } 2>/dev/null
ours "$1" "$2" || exit 0
kill -s "$3" "$1"
left=$5
while [ "$left" -gt 0 ]; do ours "$1" "$2" || exit 0; sleep 0.1; left=$((left - 1)); done
ours "$1" "$2" && kill -s "$4" "$1"
`;
const LAST_RESORT_MS = 15_000;

/** Starts the server in a session of its own, with a watcher that stops it should this process die. */
export function startSupervised(command: SupervisedCommand): Supervised {
  const child = spawnServer(command);
  // Listening before anything else: a program that can't be started is reported as an event.
  const exited = whenExited(child);
  if (child.pid === undefined)
    throw new Error(`Could not start ${command.command}: no such program, or not executable.`);
  const dismissWatcher = startWatcher(child.pid, command);
  void exited.then(dismissWatcher);
  // A forgotten server must not keep our process alive; the watcher ends it then.
  child.unref();
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid,
    exited,
    stop: () => (stopping ??= stopServer({ child, command, exited })),
  };
}

/** The last lines a server wrote, for an error message. */
export async function lastLines(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-6).join("\n");
}

function spawnServer(command: SupervisedCommand): ChildProcess {
  if (existsSync(command.logFile)) renameSync(command.logFile, `${command.logFile}.old`);
  const log = openSync(command.logFile, "a", 0o600);
  try {
    return spawn(command.command, command.args, {
      cwd: command.workingFolder,
      env: serverEnvironment(),
      stdio: ["ignore", log, log],
      detached: true,
      ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid }),
    });
  } finally {
    closeSync(log);
  }
}

function whenExited(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

function startWatcher(pid: number, command: SupervisedCommand): () => void {
  const graceTenths = Math.ceil(command.graceMs / 100);
  const signals = [command.gracefulSignal, command.forcedSignal].map((signal) =>
    signal.replace("SIG", ""),
  );
  const watcher = spawn(
    "/bin/sh",
    ["-c", WATCHER, "thikaa-watcher", `${pid}`, command.mark, ...signals, `${graceTenths}`],
    {
      cwd: "/",
      env: serverEnvironment(),
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    },
  );
  // Without a watcher the server still works; the next start on its folder would stop a survivor.
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  watcher.unref();
  return () => void watcher.stdin.end("stopped\n");
}

async function stopServer(running: {
  child: ChildProcess;
  command: SupervisedCommand;
  exited: Promise<Exit>;
}): Promise<void> {
  const { child, command, exited } = running;
  child.ref();
  child.kill(command.gracefulSignal);
  const force = setTimeout(() => child.kill(command.forcedSignal), command.graceMs);
  const kill = setTimeout(() => child.kill("SIGKILL"), command.graceMs + LAST_RESORT_MS);
  await exited;
  clearTimeout(force);
  clearTimeout(kill);
}
