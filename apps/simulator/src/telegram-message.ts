// A message of Telegram's stand-in as the phone shows it.
import type { StoredMessage } from "@thikaa/stand-ins";
import type {
  PhoneFile,
  PhoneFileKind,
  PhoneKind,
  PhoneMessage,
  PhonePlace,
} from "./phone-message.ts";

const fileKinds: readonly PhoneFileKind[] = [
  "photo",
  "document",
  "video",
  "audio",
  "voice",
  "sticker",
];

export function telegramMessage({
  author,
  wire,
  reaction,
  botReaction,
}: StoredMessage): PhoneMessage {
  const replied = wire.reply_to_message;
  return {
    id: String(wire.message_id),
    author: author === "bot" ? "shop" : "person",
    text: textOf(wire),
    entities: wire.entities ?? wire.caption_entities ?? [],
    sentAt: new Date(wire.date * 1000).toISOString(),
    edited: wire.edit_date !== undefined,
    replyTo: replied
      ? {
          author: replied.from?.is_bot ? "shop" : "person",
          text: textOf(replied),
          kind: kindOf(replied),
        }
      : null,
    buttons: wire.reply_markup?.inline_keyboard ?? [],
    file: toPhoneFile(wire),
    place: toPlace(wire),
    card: wire.contact
      ? {
          name: [wire.contact.first_name, wire.contact.last_name].filter(Boolean).join(" "),
          phone: wire.contact.phone_number,
        }
      : null,
    reaction: [reaction, botReaction].join("") || null,
    status: null,
    missing: null,
  };
}

type Wire = StoredMessage["wire"];

function textOf(wire: Wire): string {
  return wire.text ?? wire.caption ?? "";
}

function kindOf(wire: Wire): PhoneKind | null {
  if (wire.location !== undefined) return "location";
  if (wire.contact !== undefined) return "contact";
  return fileKinds.find((kind) => wire[kind] !== undefined) ?? null;
}

function toPlace({ location, venue }: Wire): PhonePlace | null {
  if (location === undefined) return null;
  return { ...location, name: venue?.title ?? null, address: venue?.address ?? null };
}

function toPhoneFile(wire: Wire): PhoneFile | null {
  const kind = fileKinds.find((each) => wire[each] !== undefined);
  const file = kind === undefined ? undefined : [wire[kind]].flat().at(-1);
  if (kind === undefined || file === undefined) return null;
  return {
    id: `tg-${file.file_id}`,
    isPicture: kind === "photo" || kind === "sticker",
    name: file.file_name ?? null,
    kind,
    size: file.file_size,
  };
}
