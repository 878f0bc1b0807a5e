// A message as the phone shows it, whichever app it is in.
import type { WireButton, WireEntity } from "@thikaa/stand-ins";

/** One bubble. Times are ISO 8601; ids are the provider's own. */
export interface PhoneMessage {
  id: string;
  author: "person" | "shop";
  text: string;
  entities: readonly WireEntity[];
  sentAt: string;
  edited: boolean;
  replyTo: { author: "person" | "shop"; text: string; kind: PhoneKind | null } | null;
  buttons: readonly (readonly WireButton[])[];
  file: PhoneFile | null;
  place: PhonePlace | null;
  card: { name: string; phone: string } | null;
  /** What either side thinks of it. */
  reaction: string | null;
  /** How far it came; `null` where the provider does not tell. */
  status: "sent" | "delivered" | "read" | null;
  /** Why there is nothing to be seen of it: it was deleted, can't be read, or is of a kind that the phone does not know. */
  missing: "deleted" | "unreadable" | "unknown" | null;
}

export type PhoneFileKind = "photo" | "document" | "video" | "audio" | "voice" | "sticker";
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
  /** Bytes; `null` when it is not known. */
  size: number | null;
}

/** A place on the map; a venue has a name and an address. */
export interface PhonePlace {
  latitude: number;
  longitude: number;
  name: string | null;
  address: string | null;
}
