// A house under test, whatever it runs as: what clients, the provider's stand-in, the webhook sink and the books have of it.
import type { Database } from "@thikaa/db";
import type { AdminClient } from "@thikaa/sdk";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";

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

/** A store with its key, whose webhook is a path of the sink. */
export interface Store {
  readonly slug: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
}

export interface House extends Outside, Store {
  /** Where the Messaging API answers now. */
  gateways(): readonly string[];
  /** For looking into the books only: what was sent and told is judged by the stand-in and the sink. */
  readonly database: Pick<Database, "query">;
  readonly openingCredits: number;
  readonly bots: readonly BotConnection[];
  readonly lanes: readonly Lane[];
  /** The last lines that the processes and their keepers wrote. */
  lastLines(): string;
  close(): Promise<void>;
}

/** What stands outside of the house. */
export interface Outside {
  readonly admin: AdminClient;
  readonly standIn: TelegramStandIn;
  readonly sink: WebhookSink;
}

export interface Furniture {
  readonly bots: number;
  readonly peoplePerBot: number;
}

export const openingCredits = 1_000_000;
const botsAtOnce = 16;

/** Makes the store that the load runs on, its bots and the people they write to. */
export async function furnish(
  outside: Outside,
  { bots: count, peoplePerBot }: Furniture,
): Promise<Pick<House, "bots" | "lanes" | "openingCredits"> & Store> {
  const store = await makeStore(outside, { slug: "faults", credits: openingCredits });
  const bots = await makeBots(outside, { slug: store.slug, count, prefix: "faults" });
  const lanes = bots.flatMap((bot, index) =>
    Array.from({ length: peoplePerBot }, (_, place) =>
      makeLane(outside.standIn, bot, 700_000_000 + index * 1_000 + place),
    ),
  );
  return { ...store, bots, lanes, openingCredits };
}

/** Makes a store and its key; the webhook is the sink's path `/{slug}`. */
export async function makeStore(
  { admin, sink }: Outside,
  store: { slug: string; credits: number },
): Promise<Store> {
  await admin.request("POST", "/stores", { ...store, plan: "professional" });
  const key = await admin.request<{ api_key: string; webhook_secret: string }>(
    "POST",
    `/stores/${store.slug}/keys`,
    {
      name: "faults",
      channels: ["tg"],
      rate: 100_000,
      webhook: `${sink.url}/${store.slug}`,
      events: ["message.received", "message.status"],
    },
  );
  return { slug: store.slug, apiKey: key.api_key, webhookSecret: key.webhook_secret };
}

/** Makes bots and their connections, in the order of their numbers, and waits until each is polled. */
export async function makeBots(
  outside: Outside,
  given: { slug: string; count: number; prefix: string; settings?: Record<string, unknown> },
): Promise<BotConnection[]> {
  const made: BotConnection[] = [];
  for (let first = 0; first < given.count; first += botsAtOnce)
    made.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(botsAtOnce, given.count - first) }, (_, place) =>
          makeBot(outside, { ...given, number: first + place + 1 }),
        ),
      )),
    );
  return made;
}

async function makeBot(
  { admin, standIn }: Outside,
  given: { slug: string; number: number; prefix: string; settings?: Record<string, unknown> },
): Promise<BotConnection> {
  const name = `Bot ${given.number}`;
  const bot = standIn.addBot({ name, username: `${given.prefix}_${given.number}_bot` });
  const connection = await admin.request<{ id: string }>(
    "POST",
    `/stores/${given.slug}/connections`,
    {
      channel: "tg",
      name,
      credentials: { token: bot.token },
      ...(given.settings !== undefined && { settings: given.settings }),
    },
  );
  await waitFor(() => standIn.record.calls({ botId: bot.id, method: "getUpdates" }).length > 0, {
    what: `the first poll of ${name}`,
    deadlineMs: 60_000,
  });
  return { botId: bot.id, connectionId: connection.id };
}

/** A person who has pressed Start at the bot. */
export function makeLane(standIn: TelegramStandIn, bot: BotConnection, personId: number): Lane {
  standIn.addPerson({ id: personId, firstName: `Person ${personId}` });
  standIn.openChat({ personId, botId: bot.botId });
  return { name: `${bot.botId}:${personId}`, bot, personId };
}
