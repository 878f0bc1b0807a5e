// Keeps the services' media store running: its own process, reached by URL alone, as an object store is in production.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort, Keeper } from "@thikaa/embedded";
import type { KeptServer, Running } from "@thikaa/embedded";

const root = join(import.meta.dirname, "../..");

/** Starts it over the folder and keeps it running, on one address with one key. */
export async function keepMediaStore(
  folder: string,
  say: (line: string) => void,
): Promise<KeptServer> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const secret = randomBytes(24).toString("base64url");
  const environment = {
    MEDIA_STORE_FOLDER: folder,
    MEDIA_STORE_PORT: String(port),
    MEDIA_STORE_SECRET: secret,
  };
  const keeper = new Keeper({ name: "media-store", say, launch: () => launch(environment) });
  await keeper.start();
  return { keeper, url: `s3://services:${secret}@127.0.0.1:${port}/media?tls=0` };
}

function launch(environment: Record<string, string>): Promise<Running> {
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--conditions=source",
      join(import.meta.dirname, "media-store-main.ts"),
    ],
    // The channel says when it is ready, and ends it when this process dies.
    { cwd: root, env: environment, stdio: ["ignore", "ignore", "inherit", "ipc"], detached: true },
  );
  const exited = new Promise<string>((end) =>
    child.once("exit", (code, signal) => end(`ended (${signal ?? `exit code ${code}`})`)),
  );
  return new Promise((resolve, reject) => {
    const running: Running = { pid: child.pid ?? 0, exited, stop: () => stop(child, exited) };
    child.once("message", () => resolve(running));
    child.once("error", (error) => reject(new Error(`media-store: ${error.message}`)));
    void exited.then((why) => reject(new Error(`media-store ${why}`)));
  });
}

async function stop(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill("SIGTERM");
  await exited;
}
