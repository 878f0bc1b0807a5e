// The house under load: every app its own process, and beside it the floors and the outside world, each a process too.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { freePort } from "@thikaa/embedded";
import { AdminClient } from "@thikaa/sdk";
import { waitFor } from "@thikaa/testkit";
import { z } from "zod";
import { plainEnvironment } from "../services/config.ts";
import { startServices } from "../services/start.ts";
import type { Services } from "../services/start.ts";

export interface BenchStore {
  readonly slug: string;
  readonly apiKey: string;
  readonly connections: readonly { readonly id: string; readonly token: string }[];
}

export interface Counts {
  /** Messages that the provider took. */
  readonly sent: number;
  /** Webhooks that the sink took. */
  readonly received: number;
  /** What each bot's webhook is signed with, by its token. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface BenchHouse {
  readonly services: Services;
  readonly database: Database;
  readonly gateways: readonly string[];
  readonly echo: string;
  /** The leanest durable floor: three commits of one narrow row. */
  readonly floor: string;
  /** The floor of the same three commits as the house's. */
  readonly commits: string;
  readonly proxy: string;
  makeStore(slug: string, options: { bots: number; webhook: boolean }): Promise<BenchStore>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
}

const counts = z.object({
  sent: z.number(),
  received: z.number(),
  secrets: z.record(z.string(), z.string()),
});
let bots = 0;

/** As many files of PostgreSQL's log as the longest scene fills. */
const logFiles = 128;

/**
 * Has PostgreSQL make the files of its log now, as a server has them that runs for a while and uses them again. In a new one
 * each 16 MB holds all commits up for 30 ms until a file is made: a property of its first hour, and of nothing measured here.
 */
async function makeLogFiles(database: Database): Promise<void> {
  await database.query({ text: "ALTER SYSTEM SET min_wal_size = '2GB'" });
  await database.query({ text: "SELECT pg_reload_conf()" });
  for (let made = 0; made < logFiles; made += 1) {
    await database.query({ text: "SELECT pg_logical_emit_message(false, 'bench', '')" });
    await database.query({ text: "SELECT pg_switch_wal()" });
  }
  await database.query({ text: "CHECKPOINT" });
}

/** Starts everything: one of each app, and so many gateways. */
export async function openHouse(gateways: number): Promise<BenchHouse> {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-bench-"));
  const children: ChildProcess[] = [];
  const outside = await startServer(children, "outside.ts");
  const services = await startServices(
    {
      counts: { gateways, channels: 1, inboxes: 1, webhooks: 1 },
      dataDir: folder,
      host: "127.0.0.1",
      sandbox: false,
      databaseUrl: null,
      natsUrl: null,
      masterKey: null,
      adminToken: null,
      environment: {
        ...plainEnvironment(),
        LOG_LEVEL: "error",
        THIKAA_NAMESPACE: "bench",
        TELEGRAM_API_URL: outside,
        PUBLIC_URL: "https://bench.example",
      },
    },
    { say: () => {}, output: (name, text) => process.stderr.write(`${name}: ${text}`) },
  );
  const { databaseUrl } = services.servers;
  const database = new Database({ url: databaseUrl, applicationName: "bench", maxConnections: 2 });
  await makeLogFiles(database);
  return {
    services,
    database,
    gateways: services.of("gateway").map(({ url }) => url),
    echo: await startServer(children, "echo.ts"),
    floor: await startServer(children, "floor.ts", databaseUrl, outside),
    commits: await startServer(
      children,
      "commits.ts",
      databaseUrl,
      outside,
      services.servers.natsUrl,
    ),
    proxy: await startServer(children, "proxy.ts", outside),
    makeStore: (slug, options) => makeStore({ services, database, outside }, slug, options),
    counts: async () => counts.parse(await (await fetch(`${outside}/counts`)).json()),
    async close() {
      await database.close();
      await services.stop();
      for (const child of children) child.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts one of the programs of this folder; gives its address once it answers. */
export async function startServer(children: ChildProcess[], file: string, ...rest: string[]) {
  const port = await freePort();
  const child = fork(join(import.meta.dirname, file), [String(port), ...rest], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=source"],
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  const answers = () => fetch(url, { method: "POST", body: "{}" }).then(() => true);
  await waitFor(answers, { what: `${file} to answer`, deadlineMs: 20_000 });
  return url;
}

async function makeStore(
  house: { services: Services; database: Database; outside: string },
  slug: string,
  options: { bots: number; webhook: boolean },
): Promise<BenchStore> {
  const admin = new AdminClient({
    baseUrl: house.services.of("console")[0]?.url ?? "",
    token: house.services.secrets.adminToken,
  });
  await admin.request("POST", "/stores", { slug, plan: "professional", credits: 100_000_000 });
  const key = await admin.request<{ api_key: string }>("POST", `/stores/${slug}/keys`, {
    name: "bench",
    channels: ["tg"],
    ...(options.webhook ? { webhook: `${house.outside}/sink` } : {}),
  });
  const connections = [];
  for (let made = 0; made < options.bots; made += 1) {
    const token = `${++bots}:${"A".repeat(35)}`;
    const { id } = await admin.request<{ id: string }>("POST", `/stores/${slug}/connections`, {
      channel: "tg",
      name: `Bench ${bots}`,
      credentials: { token },
    });
    connections.push({ id, token });
  }
  // No minute's limit stands in the way of a measurement; the limiter itself does all its work.
  await house.database.query({ text: "UPDATE instances SET rate_limit = 1000000000" });
  return { slug, apiKey: key.api_key, connections };
}
