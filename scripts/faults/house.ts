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

/** A recipient on a connection, whatever the channel: what is written to it stays in order. */
export interface Recipient {
  readonly name: string;
  /** The fields of a send that lead there. */
  readonly address: {
    readonly channel: string;
    readonly to: string;
    readonly connection_id: string;
  };
}

/** A person who talks with a bot. */
export interface Lane extends Recipient {
  readonly bot: BotConnection;
  readonly personId: number;
}

/** A part that a person got, as the provider's stand-in has it. */
export interface Receipt {
  /** Counts up in the order in which they came. */
  readonly n: number;
  readonly at: number;
}

/** A store with its key, whose webhook is a path of the sink. */
export interface Store {
  readonly slug: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
}

/** What scenes are played on and judged by, whatever the channel. */
export interface Played<To extends Recipient = Recipient> extends Store, Callers, Provider<To> {
  /** Where the Messaging API answers now. */
  gateways(): readonly string[];
  /** For looking into the books only: what was sent and told is judged by the stand-in and the sink. */
  readonly database: Pick<Database, "query">;
  readonly openingCredits: number;
  readonly lanes: readonly To[];
  /** The last lines that the processes and their keepers wrote. */
  lastLines(): string;
  close(): Promise<void>;
}

/** The provider's side of a scene: its stand-in with the people. */
export interface Provider<To extends Recipient> {
  /** A text that is longer goes as several parts; `null` where none that a scene sends does. */
  readonly longestPart: number | null;
  /** Calls the listener with the text of each part that a person gets; the returned function ends it. */
  onArrival(listener: (text: string) => void): () => void;
  /** What people got of texts that begin so, by the first line. Something that came again as the same message is there once. */
  receipts(prefix: string): Map<string, Receipt[]>;
  /** A person writes in. */
  says(lane: To, text: string): void;
  /** What the stand-in saw and must never see; empty is good. */
  neverSeen(): string[];
  /** Ends all scripted faults. */
  heal(): void;
}

export interface House extends Outside, Played<Lane> {
  readonly bots: readonly BotConnection[];
}

/** Who calls the house, and whom it calls. */
export interface Callers {
  readonly admin: AdminClient;
  readonly sink: WebhookSink;
}

/** What stands outside of the house. */
export interface Outside extends Callers {
  readonly standIn: TelegramStandIn;
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
): Promise<Pick<House, "bots" | "lanes" | "openingCredits"> & Store & Provider<Lane>> {
  const store = await makeStore(outside, { slug: "faults", credits: openingCredits });
  const bots = await makeBots(outside, { slug: store.slug, count, prefix: "faults" });
  const lanes = bots.flatMap((bot, index) =>
    Array.from({ length: peoplePerBot }, (_, place) =>
      makeLane(outside.standIn, bot, 700_000_000 + index * 1_000 + place),
    ),
  );
  return { ...store, ...providerOf(outside.standIn), bots, lanes, openingCredits };
}

/** Telegram's limit is 4,096; the first part ends a little before it. */
const longestPart = 4_090;

function providerOf(standIn: TelegramStandIn): Provider<Lane> {
  return {
    longestPart,
    onArrival: (listener) => standIn.onMessage(({ wire }) => listener(wire.text ?? "")),
    receipts(prefix) {
      const found = new Map<string, Receipt[]>();
      for (const { n, at, parameters } of standIn.record.calls({
        method: "sendMessage",
        accepted: true,
      })) {
        const part = firstLine(String(parameters["text"]));
        if (part.startsWith(prefix)) found.set(part, [...(found.get(part) ?? []), { n, at }]);
      }
      return found;
    },
    says: ({ personId, bot: { botId } }, text) =>
      void standIn.personSays({ personId, botId, text }),
    neverSeen() {
      const overlaps = standIn.bots().flatMap(({ id }) => standIn.record.overlaps(id));
      const told = overlaps.map(
        ({ botId, openForMs, bothMs }) =>
          `bot ${botId}: the first poll open for ${Math.round(openForMs)} ms, both for ${bothMs?.toFixed(1) ?? "longer than this scene"}`,
      );
      return overlaps.length === 0
        ? []
        : [`two processes polled one bot at once, ${overlaps.length} times (${told.join("; ")})`];
    },
    heal: () => standIn.faults.clear(),
  };
}

/** What a part is known by. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** Makes a store and its key; the webhook is the sink's path `/{slug}`. */
export async function makeStore(
  { admin, sink }: Callers,
  { channel = "tg", ...store }: { slug: string; credits: number; channel?: string },
): Promise<Store> {
  await admin.request("POST", "/stores", { ...store, plan: "professional" });
  const key = await admin.request<{ api_key: string; webhook_secret: string }>(
    "POST",
    `/stores/${store.slug}/keys`,
    {
      name: "faults",
      channels: [channel],
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
  return {
    name: `${bot.botId}:${personId}`,
    address: { channel: "tg", to: String(personId), connection_id: bot.connectionId },
    bot,
    personId,
  };
}
