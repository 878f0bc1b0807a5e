// The house as one process on servers of its own, kept as a person or a service manager keeps it: started again when it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import type { Statement } from "@thikaa/db";
import { freePort, Keeper } from "@thikaa/embedded";
import type { Running } from "@thikaa/embedded";
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { QueryResult, QueryResultRow } from "pg";
import { furnish } from "./house.ts";
import type { Furniture, House } from "./house.ts";
import { LastLines } from "./last-lines.ts";
import { processEnvironment } from "./running.ts";

export interface StandaloneHouse extends House {
  readonly keeper: Keeper;
  /** Kills -9 the program of a server that standalone runs itself. */
  killServer(program: "postgres" | "nats-server"): Promise<void>;
}

const main = join(import.meta.dirname, "../../apps/standalone/src/main.ts");
const adminToken = "standalone-under-faults";

/** Starts standalone without its sandbox, and furnishes it. */
export async function openStandaloneHouse(options: Furniture): Promise<StandaloneHouse> {
  const lines = new LastLines();
  const folder = await mkdtemp(join(tmpdir(), "thikaa-faults-"));
  const [standIn, sink, port] = await Promise.all([
    startTelegramStandIn(),
    startWebhookSink(),
    freePort(),
  ]);
  const url = `http://127.0.0.1:${port}`;
  const keeper = new Keeper({
    name: "standalone",
    say: (line) => lines.keep(line),
    launch: () =>
      launch(lines, {
        ...processEnvironment(),
        TELEGRAM_API_URL: standIn.url,
        THIKAA_DATA_DIR: folder,
        THIKAA_SANDBOX: "0",
        THIKAA_ADMIN_TOKEN: adminToken,
        HOST: "127.0.0.1",
        PORT: String(port),
      }),
  });
  const close = async (): Promise<void> => {
    await keeper.stop();
    await Promise.all([standIn.close(), sink.close()]);
    await rm(folder, { recursive: true, force: true });
  };
  const admin = new AdminClient({ baseUrl: url, token: adminToken });
  const outside = { admin, standIn, sink };
  try {
    await keeper.start();
    await waitFor(async () => (await fetch(`${url}/readyz`)).ok, {
      what: "standalone to be ready",
      deadlineMs: 60_000,
    });
    const furniture = await furnish(outside, options);
    return {
      ...outside,
      ...furniture,
      keeper,
      database: { query: (statement) => lookInto(folder, statement) },
      gateways: () => [url],
      lastLines: () => lines.text(),
      killServer: async (program) => void process.kill(await serverOf(folder, program), "SIGKILL"),
      close,
    };
  } catch (error) {
    process.stderr.write(`${lines.text()}\n`);
    await close();
    throw error;
  }
}

async function launch(lines: LastLines, environment: Record<string, string>): Promise<Running> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--conditions=source", main],
    { env: environment, stdio: ["ignore", "pipe", "pipe"] },
  );
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => lines.keep(chunk.toString()));
  const exited = new Promise<string>((end) =>
    child.once("exit", (code, signal) => end(`ended (${signal ?? `exit code ${code}`})`)),
  );
  await once(child, "spawn");
  return {
    pid: child.pid ?? 0,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Its PostgreSQL has another port after each start of standalone, so each look finds it anew. */
async function lookInto<Row extends QueryResultRow>(
  folder: string,
  statement: Statement,
): Promise<QueryResult<Row>> {
  const home = join(folder, "postgres");
  const password = (await readFile(join(home, "password"), "utf8")).trim();
  const port = (await readFile(join(home, "data/postmaster.pid"), "utf8")).split("\n")[3];
  const database = new Database({
    url: `postgresql://thikaa:${password}@127.0.0.1:${port}/thikaa`,
    applicationName: "fault-checker",
    maxConnections: 1,
  });
  try {
    return await database.query<Row>(statement);
  } finally {
    await database.close();
  }
}

/** The process of one of standalone's servers, found by its data folder; waits for it while it is being started. */
function serverOf(folder: string, program: "postgres" | "nats-server"): Promise<number> {
  return waitFor(
    async () => {
      for (const name of await readdir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
        const [command = "", ...given] = line.split("\0");
        const isOurs = given.some((argument) => argument.startsWith(folder));
        if (isOurs && command.endsWith(`/${program}`)) return Number(name);
      }
      return null;
    },
    { what: `${program} of standalone`, deadlineMs: 30_000 },
  );
}
