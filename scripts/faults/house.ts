// The house under test: every app its own process, and outside of them the provider's stand-in, the webhook sink and the books.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { plainEnvironment } from "../services/config.ts";
import type { Counts } from "../services/config.ts";
import { startServices } from "../services/start.ts";
import type { Services } from "../services/start.ts";

/** One bot of the store and its connection. */
export interface BotConnection {
  readonly botId: number;
  readonly connectionId: string;
}

/** A recipient on a connection: what is written to it stays in order. */
export interface Lane {
  readonly name: string;
  readonly bot: BotConnection;
  readonly personId: number;
}

export interface FaultHouse {
  readonly services: Services;
  readonly standIn: TelegramStandIn;
  readonly sink: WebhookSink;
  readonly admin: AdminClient;
  /** For looking into the books only: what was sent and told is judged by the stand-in and the sink. */
  readonly database: Database;
  readonly store: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
  readonly openingCredits: number;
  readonly bots: readonly BotConnection[];
  readonly lanes: readonly Lane[];
  /** The last lines that the processes and their keepers wrote. */
  lastLines(): string;
  close(): Promise<void>;
}

export interface FaultHouseOptions {
  readonly counts: Counts;
  readonly bots: number;
  readonly peoplePerBot: number;
}

const store = "faults";
const openingCredits = 1_000_000;
const keptLines = 200;

/** Starts everything and makes the store, its key with the sink as webhook, and its connections. */
export async function openFaultHouse(options: FaultHouseOptions): Promise<FaultHouse> {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line.trim().slice(0, 600));
  const folder = await mkdtemp(join(tmpdir(), "thikaa-faults-"));
  const [standIn, sink] = await Promise.all([startTelegramStandIn(), startWebhookSink()]);
  const services = await startServices(
    {
      counts: options.counts,
      dataDir: folder,
      host: "127.0.0.1",
      sandbox: false,
      databaseUrl: null,
      natsUrl: null,
      masterKey: null,
      adminToken: null,
      environment: {
        ...plainEnvironment(),
        LOG_LEVEL: "warn",
        THIKAA_NAMESPACE: "faults",
        TELEGRAM_API_URL: standIn.url,
      },
    },
    { say: keep, output: (name, text) => keep(`${name} | ${text}`) },
  );
  const database = new Database({
    url: services.servers.databaseUrl,
    applicationName: "fault-checker",
    maxConnections: 2,
  });
  const admin = new AdminClient({
    baseUrl: services.of("console")[0]?.url ?? "",
    token: services.secrets.adminToken,
  });
  const close = async (): Promise<void> => {
    await database.close();
    await services.stop();
    await Promise.all([standIn.close(), sink.close()]);
    await rm(folder, { recursive: true, force: true });
  };
  const made = await makeStore({ admin, standIn, sink, options }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    services,
    standIn,
    sink,
    admin,
    database,
    store,
    openingCredits,
    ...made,
    lastLines: () => lines.slice(-keptLines).join("\n"),
    close,
  };
}

interface Making {
  readonly admin: AdminClient;
  readonly standIn: TelegramStandIn;
  readonly sink: WebhookSink;
  readonly options: FaultHouseOptions;
}

async function makeStore(making: Making) {
  const { admin, sink, options } = making;
  await admin.request("POST", "/stores", {
    slug: store,
    plan: "professional",
    credits: openingCredits,
  });
  const key = await admin.request<{ api_key: string; webhook_secret: string }>(
    "POST",
    `/stores/${store}/keys`,
    {
      name: "faults",
      channels: ["tg"],
      rate: 100_000,
      webhook: `${sink.url}/webhook`,
      events: ["message.received", "message.status"],
    },
  );
  const bots: BotConnection[] = [];
  for (let number = 1; number <= options.bots; number += 1)
    bots.push(await makeBot(making, number));
  const lanes = bots.flatMap((bot, index) =>
    Array.from({ length: options.peoplePerBot }, (_, place) =>
      makeLane(making.standIn, bot, 700_000_000 + index * 1_000 + place),
    ),
  );
  return { apiKey: key.api_key, webhookSecret: key.webhook_secret, bots, lanes };
}

async function makeBot({ admin, standIn }: Making, number: number): Promise<BotConnection> {
  const bot = standIn.addBot({ name: `Bot ${number}`, username: `faults_${number}_bot` });
  const connection = await admin.request<{ id: string }>("POST", `/stores/${store}/connections`, {
    channel: "tg",
    name: `Bot ${number}`,
    credentials: { token: bot.token },
  });
  await waitFor(() => standIn.record.calls({ botId: bot.id, method: "getUpdates" }).length > 0, {
    what: `the first poll of bot ${number}`,
    deadlineMs: 30_000,
  });
  return { botId: bot.id, connectionId: connection.id };
}

function makeLane(standIn: TelegramStandIn, bot: BotConnection, personId: number): Lane {
  standIn.addPerson({ id: personId, firstName: `Person ${personId}` });
  standIn.openChat({ personId, botId: bot.botId });
  return { name: `${bot.botId}:${personId}`, bot, personId };
}
