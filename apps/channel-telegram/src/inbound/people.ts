// Who said something: the person or group as the shared schema tells them, and the address that an answer goes to.
import type { InboundContact, InboundMessage } from "@thikaa/schema";
import { writeRecipient } from "../ids.ts";
import type { TelegramChat, TelegramMessage, TelegramPerson } from "../platform/types.ts";

/** Where an answer goes, in the form of `to`. */
export function addressOf(chat: Pick<TelegramChat, "id">, businessId: string | undefined): string {
  return writeRecipient({ chatId: String(chat.id), businessId: businessId ?? null });
}

type Written = Pick<TelegramMessage, "chat" | "from" | "sender_chat">;

/** Whoever wrote: the person of a private chat; in a group its `author`, where Telegram tells one. */
export function writerOf({
  chat,
  from,
  sender_chat: sender,
}: Written): Pick<InboundMessage, "contact" | "author"> {
  // A group's anonymous admin writes as the group, a linked channel as itself; `from` is a bot of Telegram's then.
  const writer = sender ?? from ?? chat;
  const contact = isPerson(writer) ? contactOfPerson(writer) : contactOfChat(writer);
  return writer.id === chat.id ? { contact } : { contact, author: addressOf(writer, undefined) };
}

function isPerson(writer: TelegramChat | TelegramPerson): writer is TelegramPerson {
  return "is_bot" in writer;
}

export function contactOfChat(chat: TelegramChat): InboundContact {
  return {
    name: chat.title ?? joinNames(chat.first_name, chat.last_name),
    phone: null,
    username: chat.username ?? null,
    locale: null,
  };
}

export function contactOfPerson(person: TelegramPerson): InboundContact {
  return {
    name: joinNames(person.first_name, person.last_name),
    phone: null,
    username: person.username ?? null,
    locale: person.language_code ?? null,
  };
}

export function joinNames(first: string | undefined, last: string | undefined): string | null {
  const name = [first, last].filter((part) => part !== undefined && part !== "").join(" ");
  return name === "" ? null : name;
}

/** In a business account's chats the owner's own words and those of bots come by too: in a private chat the customer's id is the chat's. */
export function isOwn(said: TelegramMessage): boolean {
  if (said.business_connection_id === undefined) return false;
  return (
    said.sender_business_bot !== undefined ||
    (said.from !== undefined && said.from.id !== said.chat.id)
  );
}
