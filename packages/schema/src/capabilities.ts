// Capabilities: what a channel can carry, as data that the gateway, the docs and the conformance suite read.
import { z } from "zod";
import { mediaKind } from "./content.ts";

/** In what a channel counts a text's length. */
export const lengthUnit = z.enum(["utf16", "code_points", "bytes"]);

/** What a channel may carry or do beside text and files. */
export const features = [
  "location",
  "contact",
  "buttons",
  "reply",
  "typing",
  "edit",
  "delete",
  "reactions",
  "read",
] as const;
export const feature = z.enum(features);
export type Feature = z.infer<typeof feature>;

export const capabilities = z.object({
  text: z.object({ maxLength: z.int(), unit: lengthUnit }).nullable(),
  /** The media kinds that can be sent; empty when the channel carries text alone. */
  media: z.array(z.object({ kind: mediaKind, maxBytes: z.int(), captionLength: z.int() })),
  /** Absent means none of them. */
  features: z.array(feature).optional(),
  /** What the provider reports after `sent`. With `none`, `sent` is final. */
  receipts: z.enum(["none", "delivered", "read"]),
  /** Whether a part that is sent again is the same message to whoever has it, by an id of ours. Absent means no: it may come twice. */
  sameWhenRepeated: z.boolean().optional(),
  /** Whether we may write first. Where not, an unknown person is refused before sending. */
  firstMessage: z.boolean(),
  /** Hours after a person's last message in which free text may be sent; `null` when the provider has no such window. */
  windowHours: z.number().nullable(),
});
export type Capabilities = z.infer<typeof capabilities>;

const label = z.object({ en: z.string(), ar: z.string() });

/** One field of a channel's credentials: drives validation, sealing, masking, the command line and the form. */
export const credentialField = z.object({
  name: z.string(),
  /** `app` is set once for all connections of the channel, `connection` for each. */
  level: z.enum(["app", "connection"]),
  label,
  /** Where its owner finds it. */
  help: label,
  secret: z.boolean(),
  required: z.boolean(),
});
export type CredentialField = z.infer<typeof credentialField>;

/** What a person reads who links their phone to a connection of a channel. */
export const pairingDescription = z.object({
  /** What linking a phone here may mean for its owner: a line or two, read before anything is shown. */
  notice: label,
  /** What to open on the phone, in order, to scan the code that is shown. */
  scanSteps: z.array(label),
  /** The same for a code that is typed on the phone; `null` when the channel has no such code. */
  typeSteps: z.array(label).nullable(),
  /** The channel's own reasons by their code, as sentences that say what to do. */
  reasons: z.record(z.string(), label),
});
export type PairingDescription = z.infer<typeof pairingDescription>;

/** What a channel's app tells the others about itself when it starts; kept in a table. */
export const channelDescription = z.object({
  capabilities,
  credentials: z.array(credentialField),
  /** Absent where no phone is linked. */
  pairing: pairingDescription.optional(),
});
export type ChannelDescription = z.infer<typeof channelDescription>;
