// What Zainab can do in a chat: the shapes of the page's requests.
import { z } from "zod";

const text = z.string().min(1).max(4096);
const messageId = z.string().min(1).max(64);
const replyTo = messageId.optional();

/** By the last word of the request's path. */
export const deedShape = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("send"), text, replyTo }),
  z.strictObject({ kind: z.literal("edit"), messageId, text }),
  z.strictObject({ kind: z.literal("delete"), messageId }),
  z.strictObject({
    kind: z.literal("react"),
    messageId,
    emoji: z.string().min(1).max(32).nullable(),
  }),
  z.strictObject({
    kind: z.literal("place"),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    replyTo,
  }),
  z.strictObject({
    kind: z.literal("card"),
    name: z.string().trim().min(1).max(64),
    phone: z.string().regex(/^\+?\d{5,15}$/, "A phone number is 5 to 15 digits."),
  }),
  z.strictObject({ kind: z.literal("press"), messageId, data: z.string() }),
  z.strictObject({ kind: z.literal("block"), blocked: z.boolean() }),
  z.strictObject({ kind: z.literal("read") }),
  z.strictObject({ kind: z.literal("type"), active: z.boolean() }),
]);

/** A file that is sent: what it is stands in the query, the body is its bytes. */
export const fileShape = z.strictObject({
  kind: z.enum(["photo", "document", "video", "audio", "voice", "sticker"]),
  name: z.string().max(255).optional(),
  mime: z.string().max(255).optional(),
  caption: z.string().max(1024).optional(),
  replyTo,
});

/** What is done with the shop's phone. */
export const shopShape = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("scan"), qr: z.string().trim().min(1).max(2048) }),
  z.strictObject({
    kind: z.literal("code"),
    code: z
      .string()
      .transform((given) => given.replaceAll(/[\s-]/g, "").toUpperCase())
      .pipe(z.string().regex(/^[0-9A-Z]{8}$/, "A code is eight letters and digits.")),
  }),
  z.strictObject({ kind: z.literal("unlink"), device: z.number().int().positive() }),
]);
