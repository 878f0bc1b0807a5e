// Content of a message: what we send, and what customers send, the same for every channel.
import { z } from "zod";
import { messageReason } from "./message-status.ts";

export const mediaKinds = ["image", "document", "video", "audio", "voice", "sticker"] as const;
export const mediaKind = z.enum(mediaKinds).meta({ id: "MediaKind" });
export type MediaKind = z.infer<typeof mediaKind>;

export const inboundTypes = [
  "text",
  ...mediaKinds,
  "location",
  "contact",
  "button_reply",
  "reaction",
  "edit",
  "delete",
  "unsupported",
] as const;
export const inboundType = z.enum(inboundTypes).meta({ id: "InboundType" });
export type InboundType = z.infer<typeof inboundType>;

export const location = z
  .object({
    latitude: z.number(),
    longitude: z.number(),
    name: z.string().nullable(),
    address: z.string().nullable(),
  })
  .meta({ id: "Location" });

export const sharedContact = z
  .object({ name: z.string().nullable(), phones: z.array(z.string()) })
  .meta({ id: "SharedContact" });

/** A button under a message: one that answers us with its id, or one that opens an address. */
export const outboundButton = z.object({
  title: z.string(),
  id: z.string().optional(),
  url: z.string().optional(),
});
export type OutboundButton = z.infer<typeof outboundButton>;

/** What a message that is a command may do to another one. */
export const changeKinds = ["edit", "delete", "react", "read"] as const;

/** What is to become of a message that was sent or came in before; `message_id` is its UUID. */
export const messageChange = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("edit"), message_id: z.string() }),
  z.object({ kind: z.literal("delete"), message_id: z.string() }),
  /** `null` takes our reaction back. */
  z.object({ kind: z.literal("react"), message_id: z.string(), emoji: z.string().nullable() }),
  /** The provider's ids of it and of those before it that are not marked yet, oldest first. */
  z.object({
    kind: z.literal("read"),
    message_id: z.string(),
    provider_message_ids: z.array(z.string()).min(1),
  }),
]);
export type MessageChange = z.infer<typeof messageChange>;

/** What an outbound message says: stored whole with the message, planned into parts by the channel's connector. */
export const outboundContent = z.object({
  text: z.string().nullable(),
  media: z
    .object({
      url: z.string(),
      kind: mediaKind,
      /** Neither the sender nor the file's name told the kind: the file's own type decides. */
      guessed: z.literal(true).optional(),
    })
    .nullable(),
  location: location.optional(),
  contact: sharedContact.optional(),
  /** They stand under the last part. */
  buttons: z.array(outboundButton).optional(),
  /** The UUID of the message that this one answers. */
  reply_to: z.string().optional(),
  /** The message is a command: it changes another one to this text, takes it back, reacts to it or marks it as read. */
  change: messageChange.optional(),
});
export type OutboundContent = z.infer<typeof outboundContent>;

/** One part: one call of the provider. `payload` is the connector's own and opaque outside it. */
export const partPlan = z.object({ n: z.int().min(1), payload: z.json() });
export type PartPlan = z.infer<typeof partPlan>;

export const inboundContact = z.object({
  name: z.string().nullable(),
  phone: z.string().nullable(),
  username: z.string().nullable(),
  locale: z.string().nullable(),
});
export type InboundContact = z.infer<typeof inboundContact>;

/** A file that came with a message; `reference` is how the connector fetches it later. */
export const inboundMedia = z.object({
  reference: z.string(),
  type: mediaKind,
  mime: z.string().nullable(),
  size: z.int().nonnegative().nullable(),
  name: z.string().nullable(),
});
export type InboundMedia = z.infer<typeof inboundMedia>;

/** A customer's message in the shared schema, as a connector converts it. Every field is there, `null` when empty. */
export const inboundMessage = z.object({
  kind: z.literal("message"),
  /** Where an answer goes, in the form that `send` takes back as `to`: the person, or the group that was written in. */
  from: z.string().min(1),
  contact: inboundContact,
  /** Who wrote it, in the form of `send`'s `to`, where `from` is a group: then `contact` tells of this person. */
  author: z.string().min(1).optional(),
  type: inboundType,
  raw_type: z.string().nullable(),
  text: z.string().nullable(),
  media: z.array(inboundMedia),
  button: z
    .object({
      id: z.string(),
      title: z.string().nullable(),
      /** Which button of which message of ours (its UUID) it is, where the provider could not carry the button's own id. */
      of: z.object({ message_id: z.string(), place: z.int().min(0) }).optional(),
    })
    .nullable(),
  location: location.nullable(),
  contacts: z.array(sharedContact).nullable(),
  reaction: z.object({ emoji: z.string().nullable(), provider_message_id: z.string() }).nullable(),
  /** The provider's id of the message that it answers. */
  reply_to: z.string().nullable(),
  /** The provider's name of the album that it belongs to. */
  album_id: z.string().optional(),
  edited: z.boolean(),
  provider_message_id: z.string().nullable(),
  /** When the provider says it was written; ISO 8601. It orders nothing. */
  sent_at: z.string().nullable(),
});
export type InboundMessage = z.infer<typeof inboundMessage>;

/** Something that came in and was kept, but is not a message of a person (or could not be read). */
export const inboundNotice = z.object({
  kind: z.literal("notice"),
  reason: z.string(),
  raw_type: z.string().nullable(),
});
export type InboundNotice = z.infer<typeof inboundNotice>;

/** A person blocked us or took that back. */
export const inboundBlock = z.object({
  kind: z.literal("block"),
  from: z.string().min(1),
  contact: inboundContact,
  blocked: z.boolean(),
});
export type InboundBlock = z.infer<typeof inboundBlock>;

/**
 * What our own account wrote, as the provider tells it: through us, which makes it a receipt of what we sent, or by the
 * store's own people in the provider's app.
 */
export const ownMessage = inboundMessage
  .pick({
    contact: true,
    type: true,
    raw_type: true,
    text: true,
    media: true,
    location: true,
    contacts: true,
    reaction: true,
    reply_to: true,
    album_id: true,
    sent_at: true,
  })
  .extend({
    kind: z.literal("own"),
    /** The person it was written to, in the form of `send`'s `to`; `contact` tells of that person. */
    to: z.string().min(1),
    /** The message's own id, by which what was sent through us is known again: never that of the message it changes. */
    provider_message_id: z.string().min(1),
    /** The provider's id of the message that it edits or deletes. */
    refers_to: z.string().nullable(),
  });
export type OwnMessage = z.infer<typeof ownMessage>;

export const receiptStatuses = ["sent", "delivered", "read", "failed"] as const;

/** What the provider reports of messages of ours that it took. */
export const inboundReceipt = z.object({
  kind: z.literal("receipt"),
  /** Whom they were sent to, in the form of `send`'s `to`, where the provider numbers messages by conversation; `null` where its ids are the connection's own. */
  to: z.string().min(1).nullable(),
  provider_message_ids: z.array(z.string().min(1)).min(1),
  status: z.enum(receiptStatuses),
  /** Why they failed; `null` otherwise. */
  reason: messageReason.nullable(),
  /** When the provider says it happened; ISO 8601. It is shown and orders nothing. */
  at: z.string().nullable(),
});
export type InboundReceipt = z.infer<typeof inboundReceipt>;

export const converted = z.discriminatedUnion("kind", [
  inboundMessage,
  ownMessage,
  inboundReceipt,
  inboundBlock,
  inboundNotice,
]);
export type Converted = z.infer<typeof converted>;

/** What the inbox is given: what a connector converted, or word of a file whose message went on before it was here. */
export const inboundItem = z.discriminatedUnion("kind", [
  ...converted.options,
  z.object({ kind: z.literal("media"), media_id: z.string() }),
]);
export type InboundItem = z.infer<typeof inboundItem>;

const mediaHints: Readonly<Record<string, MediaKind>> = {
  photo: "image",
  picture: "image",
  pic: "image",
  img: "image",
  jpg: "image",
  jpeg: "image",
  png: "image",
  gif: "image",
  webp: "image",
  file: "document",
  pdf: "document",
  doc: "document",
  docx: "document",
  xls: "document",
  xlsx: "document",
  zip: "document",
  movie: "video",
  mp4: "video",
  music: "audio",
  sound: "audio",
  mp3: "audio",
  ptt: "voice",
  voice_note: "voice",
  ogg: "voice",
};

function hintedKind(word: string): MediaKind | undefined {
  return Object.hasOwn(mediaHints, word) ? mediaHints[word] : undefined;
}

/** The kind that a `media_type` hint means (our words, common names, a MIME type), or `null` when it says nothing known. */
export function mediaKindOfHint(hint: string): MediaKind | null {
  const word = hint.trim().toLowerCase();
  const known = mediaKinds.find((kind) => kind === word) ?? hintedKind(word);
  if (known !== undefined) return known;
  const main = /^(image|video|audio)\/[\w.+-]+/.exec(word)?.[1];
  if (main === "image" || main === "video" || main === "audio") return main;
  return /^(application|text)\/[\w.+-]+/.test(word) ? "document" : null;
}

/** The kind that a file's name tells, or `null` when it tells none. */
export function mediaKindOfUrl(url: string): MediaKind | null {
  const path = url.split(/[?#]/)[0] ?? "";
  const extension = /\.([a-z0-9]{2,5})$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const kind = hintedKind(extension);
  return extension === "ogg" ? "audio" : (kind ?? null);
}

/** The kind of a file by its MIME type. */
export function mediaKindOfMime(mime: string): MediaKind {
  const main = /^(image|video|audio)\//.exec(mime.trim().toLowerCase())?.[1];
  return main === "image" || main === "video" || main === "audio" ? main : "document";
}
