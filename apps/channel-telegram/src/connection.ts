// Opens one bot: proves the token, claims the bot for this connection, and only then touches its updates.
import type {
  ConnectedAccount,
  ConnectorContext,
  MediaFacet,
  PollingFacet,
  TypingFacet,
} from "@thikaa/connector-kit";
import { ConnectionFault } from "@thikaa/connector-kit";
import { readRecipient } from "./ids.ts";
import { telegramMedia } from "./media.ts";
import { KnownFiles } from "./outbound/known-files.ts";
import { sendPart } from "./outbound/send.ts";
import type { PartSender } from "./outbound/send.ts";
import { Throttling } from "./outbound/throttling.ts";
import { TelegramClient } from "./platform/client.ts";
import { faultOf, TelegramCallError } from "./platform/errors.ts";
import { TelegramPolling } from "./polling.ts";
import { beginUpdates, endPosts } from "./posting.ts";

/** Throws `ConnectionFault`: the token is refused, the bot belongs to another connection, or Telegram can't be reached. */
export async function connect(context: ConnectorContext): Promise<ConnectedAccount> {
  const client = clientOf(context);
  try {
    const bot = await client.getMe();
    const link = bot.username === undefined ? null : `https://t.me/${bot.username}`;
    // Before the webhook and the updates: a token used twice must not take the other connection's messages away.
    await context.identify({
      address: String(bot.id),
      name: bot.first_name ?? bot.username ?? String(bot.id),
      link,
    });
    await beginUpdates(client, context);
  } catch (error) {
    throw error instanceof TelegramCallError ? faultOf(error) : error;
  }
  return new TelegramAccount(client, context);
}

/** Stops Telegram's posts to us, whether it was switched off or removed: `connect` asks for them again. */
export async function retire(context: ConnectorContext): Promise<void> {
  try {
    await endPosts(clientOf(context), context);
  } catch (error) {
    throw error instanceof TelegramCallError ? faultOf(error) : error;
  }
}

function clientOf({ credentials, baseUrl, signal: life }: ConnectorContext): TelegramClient {
  const { token } = credentials.values;
  if (token !== undefined) return new TelegramClient({ token, baseUrl, life });
  throw new ConnectionFault({
    state: "attention",
    reason: {
      code: "credentials_invalid",
      message: "There is no bot token. Give one to this connection.",
    },
  });
}

class TelegramAccount implements ConnectedAccount {
  readonly polling: PollingFacet | undefined;
  readonly typing: TypingFacet;
  readonly media: MediaFacet;
  readonly #client: TelegramClient;
  readonly #sender: PartSender;

  constructor(client: TelegramClient, context: ConnectorContext) {
    this.#client = client;
    this.#sender = {
      client,
      throttling: new Throttling(),
      knownFiles: new KnownFiles(context),
      openAddress: (url, signal) => context.openAddress(url, signal),
      message: (messageId, to) => context.message(messageId, to),
    };
    this.polling = context.webhookUrl === null ? new TelegramPolling(client) : undefined;
    this.media = telegramMedia(client);
    this.typing = { show: (to, signal) => this.#showTyping(to, signal) };
  }

  send(part: Parameters<ConnectedAccount["send"]>[0]): ReturnType<ConnectedAccount["send"]> {
    return sendPart(part, this.#sender);
  }

  /** Every call is a request of its own: there is nothing to close. A webhook stays, so that updates wait for whoever comes next. */
  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  async #showTyping(to: string, signal: AbortSignal): Promise<void> {
    const chat = readRecipient(to);
    if (chat === null) return;
    const { chatId, businessId } = chat;
    const frame = businessId === null ? {} : { business_connection_id: businessId };
    await this.#client.call(
      { method: "sendChatAction", chat_id: chatId, action: "typing", ...frame },
      signal,
    );
  }
}
