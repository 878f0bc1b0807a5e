// The Messaging API: what it takes and what it answers, as zod schemas that also make the OpenAPI document.
import { z } from "zod";
import { channelCode } from "./channels.ts";
import { connectionReason, connectionState } from "./connection.ts";
import { changeKinds } from "./content.ts";
import { storeEvent } from "./events.ts";
import { messageReason, messageStatus, partStatus } from "./message-status.ts";
import { plan } from "./names.ts";
import { isOneEmoji, storableText } from "./text.ts";

export const actions = {
  send: "POST",
  status: "GET",
  message: "GET",
  events: "GET",
  cancel: "POST",
  edit: "POST",
  delete: "POST",
  react: "POST",
  read: "POST",
  typing: "POST",
} as const;
export type Action = keyof typeof actions;

export const limits = {
  bodyBytes: 262_144,
  textLength: 65_536,
  idempotencyKeyLength: 255,
  clientReferenceLength: 255,
  scheduleDays: 30,
  ttlSeconds: { min: 30, max: 604_800, default: 86_400 },
  eventsPage: { max: 100, default: 50 },
  ratePerMinute: 60,
  rateWindowSeconds: 60,
  buttons: { most: 10, titleLength: 64, idLength: 256, urlLength: 2048 },
  contact: { nameLength: 128, phones: 5, phoneLength: 32 },
  emojiLength: 64,
  /** How many messages one `read` marks at most: the newest. */
  readAtOnce: 100,
} as const;

const storable = (schema: z.ZodString) =>
  z.preprocess((value) => (typeof value === "string" ? storableText(value) : value), schema);

/** Text in a line of its own, as names and titles are: not empty, without white space around it. */
const line = (most: number) => storable(z.string().trim().min(1).max(most));

const isWebUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const sendButton = z
  .strictObject({
    title: line(limits.buttons.titleLength),
    id: storable(z.string().min(1).max(limits.buttons.idLength))
      .optional()
      .meta({ description: "Comes back whole in `data.button.id` when it is pressed." }),
    url: storable(
      z
        .string()
        .max(limits.buttons.urlLength)
        .refine(isWebUrl, "A button's 'url' must be a full URL that begins with https://."),
    )
      .optional()
      .meta({ description: "Opened when it is pressed; nothing comes back." }),
  })
  .refine(
    ({ id, url }) => (id === undefined) !== (url === undefined),
    "A button has either an 'id' or a 'url'.",
  )
  .meta({ id: "Button" });

const sendLocation = z
  .strictObject({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    name: line(255).nullish(),
    address: line(255).nullish(),
  })
  .meta({ id: "SendLocation" });

const sendContact = z
  .strictObject({
    name: line(limits.contact.nameLength),
    phones: z
      .array(
        storable(
          z
            .string()
            .max(limits.contact.phoneLength)
            .regex(
              /^\s*\+?[\d\s()./-]*\d[\d\s()./-]*$/,
              "A phone number is digits, like +9647701234567.",
            ),
        ),
      )
      .min(1)
      .max(limits.contact.phones),
  })
  .meta({ id: "SendContact" });

/** The body of `send`. The first five fields are the mission's; the others are optional additions. */
export const sendBody = z
  .strictObject({
    channel: channelCode,
    to: z.union([z.string(), z.number()], { error: "'to' must be text or a whole number." }).meta({
      description:
        "A phone number with its country code on channels that go by numbers, the provider's user id otherwise.",
      examples: ["9647701234567"],
    }),
    message: storable(z.string().max(limits.textLength)).nullish().meta({
      description:
        "Text in UTF-8. May be absent when there is media, a location or a contact. Long text is split.",
    }),
    media_url: storable(z.string().max(4096)).nullish().meta({
      description:
        "Public HTTPS URL of an image, document or other file to attach. The text goes as its caption where the channel carries one that long, else after it. A file that can't be had, or is larger than the channel takes, fails the message with a reason that begins with `media_`.",
    }),
    media_type: storable(z.string().max(255)).nullish().meta({
      description:
        "A hint: image, document, video, audio, voice, sticker, a common name (photo, file, pdf) or a MIME type. An unknown hint is a warning. Without one the ending of the URL decides, else the type that the file's server tells.",
    }),
    location: sendLocation.nullish().meta({ description: "A place on the map." }),
    contact: sendContact.nullish().meta({ description: "A person's card." }),
    buttons: z.array(sendButton).min(1).max(limits.buttons.most).nullish().meta({
      description:
        "Buttons under the message: `{id, title}` comes back as a message of type `button_reply`, `{title, url}` opens an address.",
    }),
    reply_to: storable(z.string().max(64)).nullish().meta({
      description:
        "The `message_id` of the message that this one answers: one that came in, or one that this key sent, in the same conversation.",
    }),
    client_reference: storable(z.string().max(limits.clientReferenceLength))
      .nullish()
      .meta({ description: "Yours; echoed in answers and events." }),
    connection_id: storable(z.string().max(64))
      .nullish()
      .meta({ description: "Which connection of the channel to use; the default one otherwise." }),
    send_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .meta({ description: "Send then instead of now; at most 30 days ahead." }),
    ttl: z
      .int()
      .min(limits.ttlSeconds.min)
      .max(limits.ttlSeconds.max)
      .nullish()
      .meta({ description: "Seconds after which the message is given up, from when it is due." }),
  })
  .meta({ id: "SendRequest" });
export type SendBody = z.infer<typeof sendBody>;

export const sendFields = Object.keys(sendBody.shape);

/** The body of `typing`: the same place as that of a message. */
export const typingBody = sendBody
  .pick({ channel: true, to: true, connection_id: true })
  .meta({ id: "TypingRequest" });
export type TypingBody = z.infer<typeof typingBody>;

/** The body of `edit`. */
export const editBody = z
  .strictObject({
    id: z.string().max(64).meta({ description: "The `message_id` that `send` answered." }),
    message: storable(z.string().max(limits.textLength)).meta({
      description:
        "The new text, or the new caption of a file. It must fit into as many of the provider's messages as the old one took.",
    }),
  })
  .meta({ id: "EditRequest" });

/** The body of `delete`. */
export const deleteBody = z.strictObject({ id: editBody.shape.id }).meta({ id: "DeleteRequest" });

/** The body of `react`. */
export const reactBody = z
  .strictObject({
    message_id: z.string().max(64).meta({
      description:
        "The message to react to: one that came in (`data.message_id` of its event), or one that this key sent.",
    }),
    emoji: storable(
      z
        .string()
        .max(limits.emojiLength)
        .refine(
          (text) => text === "" || isOneEmoji(text),
          "Give one emoji, or an empty text to take the reaction back.",
        ),
    )
      .nullable()
      .meta({
        description:
          "One emoji; it replaces the one before. Empty or `null` takes the reaction back. A channel may know fewer than there are: then the command fails with the reason.",
      }),
  })
  .meta({ id: "ReactRequest" });

/** The body of `read`. */
export const readBody = z
  .strictObject({
    message_id: z.string().max(64).meta({
      description: "The newest message to mark: one that came in (`data.message_id` of its event).",
    }),
  })
  .meta({ id: "ReadRequest" });

export const warning = z.object({ code: z.string(), message: z.string() }).meta({ id: "Warning" });
export type Warning = z.infer<typeof warning>;

export const sendAnswer = z
  .object({
    ok: z.literal(true),
    message_id: z.string(),
    channel: channelCode,
    to: z.string(),
    status: z.enum(["queued", "scheduled"]),
    client_reference: z.string().optional(),
    warnings: z.array(warning).optional(),
  })
  .meta({ id: "SendAnswer" });
export type SendAnswer = z.infer<typeof sendAnswer>;

export const typingAnswer = z
  .object({
    ok: z.literal(true),
    channel: channelCode,
    to: z.string(),
    warnings: z.array(warning).optional(),
  })
  .meta({ id: "TypingAnswer" });
export type TypingAnswer = z.infer<typeof typingAnswer>;

/** What `edit`, `delete`, `react` and `read` answer: the command is a message of its own, with its own status. */
export const changeAnswer = z
  .object({
    ok: z.literal(true),
    message_id: z.string().meta({
      description: "The command's own id: `action=message` and `message.status` tell of it.",
    }),
    changes: z.string().meta({
      description: "The message that is changed, reacted to or marked as read.",
    }),
    channel: channelCode,
    to: z.string(),
    status: messageStatus,
  })
  .meta({ id: "ChangeAnswer" });
export type ChangeAnswer = z.infer<typeof changeAnswer>;

export const connectionStatus = z
  .object({
    id: z.string(),
    channel: channelCode,
    name: z.string(),
    address: z.string().nullable(),
    default: z.boolean(),
    state: connectionState,
    since: z.string(),
    reason: connectionReason.nullable(),
    queued: z.int(),
    last_inbound_at: z.string().nullable(),
    last_sent_at: z.string().nullable(),
  })
  .meta({ id: "ConnectionStatus" });
export type ConnectionStatus = z.infer<typeof connectionStatus>;

export const statusAnswer = z
  .object({
    ok: z.literal(true),
    instance_id: z.string(),
    name: z.string(),
    status: z.literal("active"),
    store: z.string(),
    channels: z.array(channelCode),
    balance: z.number(),
    plan,
    rate_limit: z.object({ limit: z.int(), remaining: z.int(), reset: z.int() }),
    connections: z.array(connectionStatus),
  })
  .meta({ id: "StatusAnswer" });
export type StatusAnswer = z.infer<typeof statusAnswer>;

export const timelineEntry = z
  .object({ at: z.string(), status: z.string(), text: z.string() })
  .meta({ id: "TimelineEntry" });
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const messageAnswer = z
  .object({
    ok: z.literal(true),
    message_id: z.string(),
    channel: channelCode,
    connection_id: z.string(),
    to: z.string(),
    status: messageStatus,
    final: z.boolean(),
    reason: messageReason.nullable(),
    client_reference: z.string().nullable(),
    price: z.number(),
    refunded: z.boolean(),
    possible_duplicate: z.boolean(),
    created_at: z.string(),
    send_at: z.string().nullable(),
    deadline_at: z.string(),
    parts: z.array(
      z.object({ n: z.int(), provider_message_id: z.string().nullable(), status: partStatus }),
    ),
    changes: z
      .array(
        z.object({
          message_id: z.string(),
          kind: z.enum(changeKinds),
          status: messageStatus,
          created_at: z.string(),
        }),
      )
      .meta({
        description:
          "The edits and deletions of this message, and the reactions to it, that were asked for.",
      }),
    timeline: z.array(timelineEntry),
  })
  .meta({ id: "MessageAnswer" });
export type MessageAnswer = z.infer<typeof messageAnswer>;

export const eventsAnswer = z
  .object({
    ok: z.literal(true),
    events: z.array(storeEvent),
    has_more: z.boolean(),
    next_after: z.int().meta({
      description: "Put it into `after` for the next page; the same when there was nothing new.",
    }),
  })
  .meta({ id: "EventsAnswer" });
export type EventsAnswer = z.infer<typeof eventsAnswer>;

export const cancelAnswer = z
  .object({
    ok: z.literal(true),
    message_id: z.string(),
    status: messageStatus,
    final: z.boolean(),
    refunded: z.boolean(),
  })
  .meta({ id: "CancelAnswer" });
export type CancelAnswer = z.infer<typeof cancelAnswer>;
