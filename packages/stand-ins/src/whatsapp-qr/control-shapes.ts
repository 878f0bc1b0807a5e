// The shapes of what the control API takes.
import { z } from "zod";
import { MEDIA_KINDS } from "./content.ts";

const number = z.string().regex(/^\d+$/, "Give the digits of the number, with the country code.");
const chat = z.string().min(1);
const messageId = z.string().min(1);
const device = z.number().int().nonnegative();
const text = z.string();

export const newPhone = z.strictObject({
  number,
  name: text.optional(),
  lid: z.string().regex(/^\d+$/).optional(),
  devices: z.number().int().min(1).max(5).optional(),
});
export const settings = z.strictObject({
  phone: number,
  online: z.boolean().optional(),
  retries: z.boolean().optional(),
  readsAtOnce: z.boolean().optional(),
  hidesNumber: z.boolean().optional(),
  readReceipts: z.boolean().optional(),
});
export const scan = z.strictObject({ phone: number, qr: text });
export const code = z.strictObject({ phone: number, code: text });
export const refresh = z.strictObject({ qr: text });
const linkedDeviceFields = { phone: number, device: device.optional() };
export const unlink = z.strictObject({
  ...linkedDeviceFields,
  withoutCode: z.boolean().optional(),
});
export const reinstall = z.strictObject({ phone: number });
export const disconnect = z.discriminatedUnion("by", [
  z.strictObject({ ...linkedDeviceFields, by: z.literal("reset") }),
  z.strictObject({ ...linkedDeviceFields, by: z.literal("stream_end") }),
  z.strictObject({ ...linkedDeviceFields, by: z.literal("replaced") }),
  z.strictObject({ ...linkedDeviceFields, by: z.literal("downgrade") }),
  z.strictObject({ ...linkedDeviceFields, by: z.literal("stream_error"), code: z.number().int() }),
]);
const content = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("text"), text: text.min(1) }),
  z.strictObject({
    kind: z.literal("location"),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    name: text.optional(),
    address: text.optional(),
  }),
  z.strictObject({ kind: z.literal("contact"), name: text.min(1), phones: z.array(text.min(1)) }),
  z.strictObject({ kind: z.literal("reaction"), messageId, emoji: text.min(1).nullable() }),
  z.strictObject({ kind: z.literal("edit"), messageId, text: text.min(1) }),
  z.strictObject({ kind: z.literal("delete"), messageId }),
  z.strictObject({ kind: z.literal("other"), message: z.record(z.string(), z.unknown()) }),
]);
const addressing = z.enum(["lid", "pn"]);
export const message = z.strictObject({
  from: number,
  to: chat,
  content,
  replyTo: messageId.optional(),
  addressing: addressing.optional(),
  device: device.optional(),
  messageId: messageId.optional(),
  garbled: z.boolean().optional(),
});
/** As the query of an upload. */
export const file = z.strictObject({
  from: number,
  to: chat,
  kind: z.enum(MEDIA_KINDS),
  name: text.optional(),
  mime: text.optional(),
  caption: text.optional(),
  replyTo: messageId.optional(),
  addressing: addressing.optional(),
});
export const read = z.strictObject({
  phone: number,
  chat,
  messageIds: z.array(messageId).optional(),
});
export const typing = z.strictObject({
  phone: number,
  to: number,
  state: z.enum(["composing", "recording", "paused"]),
});
export const forget = z.strictObject({ phone: number, with: number });
export const group = z.strictObject({ subject: text.min(1), members: z.array(number).min(1) });
export const clock = z.strictObject({ advanceMs: z.number().nonnegative() });
/** As the query of a look at the record. */
export const recordFilter = z.strictObject({
  kind: z
    .enum([
      "opened",
      "refused",
      "closed",
      "paired",
      "message",
      "receipt",
      "ack",
      "presence",
      "typing",
      "query",
      "upload",
      "download",
    ])
    .optional(),
  phone: number.optional(),
  device: z.coerce.number().int().optional(),
  messageId: messageId.optional(),
  after: z.coerce.number().int().optional(),
});

const scope = {
  phone: number.optional(),
  times: z.union([z.number().int().positive(), z.literal("always")]).optional(),
};
export const fault = z.discriminatedUnion("kind", [
  z.strictObject({
    ...scope,
    kind: z.literal("login_failure"),
    reason: z.number().int(),
    attributes: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({
    ...scope,
    kind: z.literal("refuse_message"),
    error: z.number().int(),
    to: chat.optional(),
  }),
  z.strictObject({ ...scope, kind: z.literal("no_ack") }),
  z.strictObject({ ...scope, kind: z.literal("no_read_ack") }),
  z.strictObject({ ...scope, kind: z.literal("drop_before_message") }),
  z.strictObject({ ...scope, kind: z.literal("drop_after_message") }),
  z.strictObject({ ...scope, kind: z.literal("mute") }),
  z.strictObject({ ...scope, kind: z.literal("deaf") }),
  z.strictObject({ ...scope, kind: z.literal("slow"), delayMs: z.number().nonnegative() }),
  z.strictObject({
    ...scope,
    kind: z.literal("refuse_query"),
    about: text.min(1),
    error: z.number().int(),
    text: text.optional(),
  }),
  z.strictObject({ ...scope, kind: z.literal("ignore_query"), about: text.min(1) }),
  z.strictObject({ ...scope, kind: z.literal("no_offline_end") }),
  z.strictObject({ ...scope, kind: z.literal("companion_refresh") }),
  z.strictObject({ ...scope, kind: z.literal("scan_failure") }),
  z.strictObject({
    ...scope,
    kind: z.literal("media"),
    direction: z.enum(["upload", "download"]),
    status: z.number().int().min(400).max(599),
  }),
]);
