// A message as the phone shows it, made from what lies in the stand-in.
import type { StoredMessage, WireButton, WireEntity } from "@thikaa/stand-ins";

/** One bubble. Times are ISO 8601. */
export interface PhoneMessage {
  id: number;
  author: "person" | "bot";
  text: string;
  entities: WireEntity[];
  sentAt: string;
  edited: boolean;
  replyTo: { author: "person" | "bot"; text: string; kind: PhoneKind | null } | null;
  buttons: WireButton[][];
  file: PhoneFile | null;
  place: PhonePlace | null;
  card: { name: string; phone: string } | null;
}

const fileKinds = ["photo", "document", "video", "audio", "voice", "sticker"] as const;
export type PhoneFileKind = (typeof fileKinds)[number];
/** What a message without words is called by. */
export type PhoneKind = PhoneFileKind | "location" | "contact";

/** The file in a bubble; its bytes are at `/simulator/api/file?id=`. */
export interface PhoneFile {
  id: string;
  /** Shown in place; any other is a link. */
  isPicture: boolean;
  /** `null` when it has no name; then its kind stands for it. */
  name: string | null;
  kind: PhoneFileKind;
  /** Bytes. */
  size: number;
}

/** A place on the map; a venue has a name and an address. */
export interface PhonePlace {
  latitude: number;
  longitude: number;
  name: string | null;
  address: string | null;
}

export function toPhoneMessage({ author, wire }: StoredMessage): PhoneMessage {
  const replied = wire.reply_to_message;
  return {
    id: wire.message_id,
    author,
    text: textOf(wire),
    entities: wire.entities ?? wire.caption_entities ?? [],
    sentAt: new Date(wire.date * 1000).toISOString(),
    edited: wire.edit_date !== undefined,
    replyTo: replied
      ? {
          author: replied.from?.is_bot ? "bot" : "person",
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
    id: file.file_id,
    isPicture: kind === "photo" || kind === "sticker",
    name: file.file_name ?? null,
    kind,
    size: file.file_size,
  };
}
