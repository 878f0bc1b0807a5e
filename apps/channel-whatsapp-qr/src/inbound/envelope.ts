// What is kept of a message that came in: its envelope, and its plaintext as it was decrypted.
import { z } from "zod";

/** Written as JSON in this order; that is an item's raw form. */
export const envelope = z.object({
  kind: z.literal("message"),
  id: z.string(),
  /** The other side of the chat: a person's or a group's address. */
  chat: z.string(),
  /** The same person's other address (LID or number), where it is known. */
  alt: z.string().nullable(),
  /** Who wrote it, in a group. */
  participant: z.string().nullable(),
  /** Whether our own side wrote it, on a phone or another device. */
  own: z.boolean(),
  /** How the sender calls themselves. */
  name: z.string().nullable(),
  /** Seconds since 1970, as the server says. */
  at: z.number().nullable(),
  /** The plaintexts, base64: mostly one. */
  messages: z.array(z.string()),
});
export type Envelope = z.infer<typeof envelope>;

/** A receipt for one message of ours. */
export const receiptEnvelope = z.object({
  kind: z.literal("receipt"),
  id: z.string(),
  chat: z.string(),
  alt: z.string().nullable(),
  status: z.enum(["delivered", "read"]),
  at: z.number().nullable(),
});
export type ReceiptEnvelope = z.infer<typeof receiptEnvelope>;

/** Something that nobody here could decrypt; its sender is asked to send it again. */
export const undecryptedEnvelope = z.object({
  kind: z.literal("undecrypted"),
  id: z.string(),
  chat: z.string(),
  /** Baileys' word for what went wrong. */
  fault: z.string(),
  /** The ciphertexts, base64. */
  ciphertexts: z.array(z.string()),
});
export type UndecryptedEnvelope = z.infer<typeof undecryptedEnvelope>;

export const anyEnvelope = z.discriminatedUnion("kind", [
  envelope,
  receiptEnvelope,
  undecryptedEnvelope,
]);
export type AnyEnvelope = z.infer<typeof anyEnvelope>;
