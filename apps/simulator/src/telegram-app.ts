// Telegram on Zainab's phone.
import type { TelegramChange, TelegramStandIn } from "@thikaa/stand-ins";
import type { ChatApp, Deed, PhoneChange, PhoneChat } from "./chat-app.ts";
import { ZAINAB } from "./people.ts";
import { shownType } from "./shown-type.ts";
import { telegramMessage } from "./telegram-message.ts";

const personId = ZAINAB.id;

/** She has pressed Start with every bot there is, and with each that comes. */
export function createTelegram(telegram: TelegramStandIn): ChatApp {
  telegram.addPerson({ ...ZAINAB });
  for (const { id } of telegram.bots()) telegram.openChat({ personId, botId: id });
  telegram.onChange((change) => {
    if (change.type === "bot") telegram.openChat({ personId, botId: change.botId });
  });
  const chats = (): PhoneChat[] => telegram.bots().map((bot) => chatOf(telegram, bot));
  return {
    channel: "tg",
    chats,
    act: (chat, deed) => act(telegram, Number(chat.slice("tg-".length)), deed),
    file: (id) => {
      const file = telegram.file(id.slice("tg-".length));
      return file && { bytes: file.bytes, mime: shownType(file.bytes) };
    },
    listen: (listener) =>
      telegram.onChange((change) => {
        const shown = toPhoneChange(change, chats);
        if (shown) listener(shown);
      }),
  };
}

function chatOf(
  telegram: TelegramStandIn,
  bot: { id: number; name: string; username: string },
): PhoneChat {
  return {
    id: chatId(bot.id),
    channel: "tg",
    name: bot.name,
    handle: `@${bot.username}`,
    abilities: ["block"],
    blocked: telegram.isBlocked(personId, bot.id),
    messages: telegram.messagesWith(personId, bot.id).map(telegramMessage),
  };
}

function act(telegram: TelegramStandIn, botId: number, deed: Deed): void {
  const who = { personId, botId };
  const answering = (id: string | undefined) => (id === undefined ? {} : { replyTo: Number(id) });
  switch (deed.kind) {
    case "send":
      telegram.personSays({ ...who, text: deed.text, ...answering(deed.replyTo) });
      break;
    case "file": {
      const { kind, name, caption, replyTo } = deed.file;
      const file = { kind, name, caption, bytes: deed.bytes, ...answering(replyTo) };
      telegram.personSendsFile({ ...who, ...file });
      break;
    }
    case "place": {
      const { latitude, longitude, replyTo } = deed;
      telegram.personSendsPlace({ ...who, latitude, longitude, ...answering(replyTo) });
      break;
    }
    case "card":
      telegram.personSendsCard({ ...who, firstName: deed.name, phoneNumber: deed.phone });
      break;
    case "edit":
      telegram.personEdits({ ...who, messageId: Number(deed.messageId), text: deed.text });
      break;
    case "press":
      telegram.personPresses({ ...who, messageId: Number(deed.messageId), data: deed.data });
      break;
    case "block":
      if (deed.blocked) telegram.personBlocks(who);
      else telegram.personUnblocks(who);
      break;
    default:
      throw new Error("Telegram does not tell bots of that.");
  }
}

function toPhoneChange(change: TelegramChange, chats: () => PhoneChat[]): PhoneChange | null {
  const chat = chatId(change.botId);
  if (change.type === "bot") {
    const added = chats().find(({ id }) => id === chat);
    return added ? { type: "chat", chat: added } : null;
  }
  if (change.personId !== personId) return null;
  if (change.type === "typing") return { type: "typing", chat, active: true };
  if (change.type === "block") return { type: "blocked", chat, blocked: change.blocked };
  const type = change.type === "edit" || change.type === "reaction" ? "change" : change.type;
  return { type, chat, message: telegramMessage(change.message) };
}

function chatId(botId: number): string {
  return `tg-${botId}`;
}
