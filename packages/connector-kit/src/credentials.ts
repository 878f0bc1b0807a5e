// Credentials: what a connection's owner gives, and how a connector describes it.
import type { CredentialField } from "@thikaa/schema";
import type { z } from "zod";

/** A connection's credentials by field name, as its owner gave them. Secrets: never logged, never in an error. */
export type CredentialValues = Readonly<Record<string, string>>;

/** What a connector must be told of its credentials: one description drives checks, sealing, masking, command line and form. */
export interface CredentialsDescription {
  /** Refuses what can't be credentials by their shape; only the provider says whether they are good. */
  readonly values: z.ZodType<CredentialValues>;
  readonly fields: readonly CredentialField[];
}
