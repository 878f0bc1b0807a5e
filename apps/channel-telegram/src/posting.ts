// Where Telegram posts a bot's updates: to us as long as the connection has this bot, and no longer.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { TelegramClient } from "./platform/client.ts";
import { faultOf, TelegramCallError } from "./platform/errors.ts";

/** The state's key of the token whose bot posts to us. */
const postingToken = "posting_token";

/** Tells Telegram to post to us, or to keep updates for our polls. A bot that the connection had before posts no more. */
export async function beginUpdates(
  client: TelegramClient,
  context: ConnectorContext,
): Promise<void> {
  const { webhookUrl: url, webhookSecret: secret, state } = context;
  const token = context.credentials.values["token"] ?? "";
  const former = (await state.get([postingToken])).get(postingToken);
  if (former !== undefined && former !== token)
    await endPosts(new TelegramClient({ token: former, ...placeOf(context) }), context);
  if (url === null) return client.deleteWebhook();
  if (former !== token) await state.set({ [postingToken]: token });
  await client.setWebhook({ url, secret });
}

/** Stops posts to our own URL: by now another connection, or another program, may have set one. A bot that is not ours any more posts nothing we could stop. */
export async function endPosts(client: TelegramClient, context: ConnectorContext): Promise<void> {
  const { webhookUrl, signal } = context;
  if (webhookUrl === null) return;
  try {
    if ((await client.getWebhookUrl(signal)) === webhookUrl) await client.deleteWebhook();
  } catch (error) {
    const isDead = error instanceof TelegramCallError && faultOf(error).state === "attention";
    if (!isDead) throw error;
  }
}

function placeOf({ baseUrl, signal }: ConnectorContext) {
  return { baseUrl, life: signal };
}
