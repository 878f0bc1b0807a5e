// Telegram is held to the connector contract by the suite that every channel passes.
import { createLog } from "@thikaa/runtime";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramFault, TelegramStandIn } from "@thikaa/stand-ins";
import { testConnector } from "@thikaa/testkit";
import type { OwnPayload, ProviderAccount, ProviderError } from "@thikaa/testkit";
import * as vault from "@thikaa/vault";
import { connector } from "./connector.ts";
import { addBot, mai, zainab } from "./fixtures/world.ts";
import { start } from "./start.ts";

testConnector({
  connector,
  channel: "tg",
  worksUnreached: true,
  start: (settings, write) =>
    start({ ...settings, log: createLog({ name: "contract", level: "debug" }, { write }) }),
  vault,
  async openProvider() {
    const telegram = await startTelegramStandIn({ people: [zainab, mai] });
    return {
      url: telegram.url,
      addAccount: () => accountOf(telegram),
      wrongCredentials: { token: "7100200300:AAFnever-given-out-by-BotFather_0001" },
      close: () => telegram.close(),
    };
  },
});

const people = [String(zainab.id), String(mai.id)] as const;

/** What a send meets, and what it means; each error's text is one of Telegram's own. */
const faults: Readonly<Record<string, [ProviderError["means"], TelegramFault]>> = {
  "429 with retry_after": ["throttled", { kind: "throttled", retryAfter: 3 }],
  "500 in Telegram's own form": ["unavailable", { kind: "server_error" }],
  "a connection reset after the call was taken": ["uncertain", { kind: "reset_after_accept" }],
  "half an answer": ["uncertain", { kind: "truncated" }],
  "403 blocked": [
    "rejected",
    { kind: "error", status: 403, description: "Forbidden: bot was blocked by the user" },
  ],
  "400 chat not found": [
    "rejected",
    { kind: "error", status: 400, description: "Bad Request: chat not found" },
  ],
  "400 of a kind that nobody knows": [
    "rejected",
    { kind: "error", status: 400, description: "Bad Request: WHATEVER_COMES_NEXT" },
  ],
  "401 revoked": ["unauthorized", { kind: "revoked" }],
  "404 no such method": [
    "poison",
    { kind: "error", status: 404, description: "Not Found: method not found" },
  ],
  "409 another poller": [
    "unavailable",
    {
      kind: "error",
      status: 409,
      description: "Conflict: terminated by other getUpdates request",
    },
  ],
};

function accountOf(telegram: TelegramStandIn): ProviderAccount {
  const bot = addBot(telegram);
  const sends = { botId: bot.id, method: "sendMessage" };
  return {
    credentials: { token: bot.token },
    address: String(bot.id),
    people,
    says: (person, text) =>
      void telegram.personSays({ personId: Number(person), botId: bot.id, text }),
    got: (person) =>
      telegram
        .messagesWith(Number(person), bot.id)
        .filter(({ author }) => author === "bot")
        .map(({ wire }) => ({
          text: wire.text ?? "",
          providerMessageId: String(wire.message_id),
        })),
    refuseAfter: (accepted) => refuseAfter(telegram, { botId: bot.id, accepted }),
    errors: Object.entries(faults).map(([name, [means, fault]]) => ({
      name,
      means,
      provoke: () => void telegram.faults.add({ ...fault, ...sends }),
    })),
    payloads: payloads(bot.id),
    inlet: {
      kind: "webhook",
      sign: (_body, secret) => ({ "x-telegram-bot-api-secret-token": secret }),
    },
  };
}

function refuseAfter(telegram: TelegramStandIn, after: { botId: number; accepted: number }): void {
  let left = after.accepted;
  const end = telegram.onMessage(({ botId, author }) => {
    if (botId !== after.botId || author !== "bot" || --left > 0) return;
    end();
    telegram.faults.add({ kind: "server_error", method: "sendMessage", botId });
  });
}

/** Far from the numbers that the stand-in gives out itself. */
let lastNumber = 900_000_000;

function payloads(botId: number): ProviderAccount["payloads"] {
  const updateOf = (kind: string, body: object) =>
    JSON.stringify({ update_id: ++lastNumber, [kind]: body });
  const inChat = (person: string, more: object) => ({
    message_id: ++lastNumber,
    date: 1_781_000_000,
    chat: { id: Number(person), type: "private", first_name: "Z" },
    from: { id: Number(person), is_bot: false, first_name: "Z" },
    ...more,
  });
  /** A business account's chat, where the bot is told what the owner and the bot wrote. */
  const own = (text: string, writer: object): OwnPayload => {
    const said = inChat(people[0], { text, business_connection_id: "business-1", ...writer });
    return {
      body: updateOf("business_message", said),
      to: `${people[0]}/business-1`,
      text,
      providerMessageId: String(said.message_id),
    };
  };
  const bot = { id: botId, is_bot: true, first_name: "Shop" };
  return {
    message: (person, text) => updateOf("message", inChat(person, { text })),
    own: [
      own("written by the owner", { from: { id: 5, is_bot: false, first_name: "The owner" } }),
      own("written by us", { sender_business_bot: bot }),
    ],
    unknown: [
      updateOf("brain_wave", { thought: 1 }),
      updateOf("message", { of: "another form" }),
      JSON.stringify({ update_id: "not a number" }),
    ],
  };
}
