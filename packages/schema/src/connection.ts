// A connection's state, the reasons behind it, and its settings.
import { z } from "zod";

export const connectionStates = [
  "pairing",
  "connecting",
  "connected",
  "recovering",
  "limited",
  "attention",
  "off",
] as const;

/**
 * `connected` holds only while its worker lives; `recovering` and `limited` go on by themselves; `attention` needs a person.
 */
export const connectionState = z.enum(connectionStates).meta({ id: "ConnectionState" });
export type ConnectionState = z.infer<typeof connectionState>;

/** Why a connection is in its state: a stable code and a sentence that says what to do. */
export const connectionReason = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: "ConnectionReason" });
export type ConnectionReason = z.infer<typeof connectionReason>;

/** What the owner wants of a connection. */
export const desiredStates = ["on", "off", "removed"] as const;
export const desiredState = z.enum(desiredStates);
export type DesiredState = z.infer<typeof desiredState>;

/** Settings of one connection, all with a default. */
export const connectionSettings = z.object({
  /** What happens when it is unknown whether the provider took a part: try again (flagged), or hold for a person. */
  on_uncertain: z.enum(["retry", "hold"]).default("retry"),
});
export type ConnectionSettings = z.infer<typeof connectionSettings>;
