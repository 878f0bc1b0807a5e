// Names that stand in URLs: store slugs, and the words that routes keep for themselves.
import { z } from "zod";

/** First path segments that belong to the house; no store may be called so. */
export const reservedWords = [
  "admin",
  "api",
  "assets",
  "console",
  "docs",
  "healthz",
  "hooks",
  "login",
  "logout",
  "media",
  "metrics",
  "oauth",
  "openapi",
  "openapi.json",
  "pair",
  "readyz",
  "settings",
  "simulator",
  "static",
  "thikaa",
  "www",
] as const;

/** A store's slug: 2–40 of a–z, 0–9 and dash, not a reserved word, never changed. */
export const storeSlug = z
  .string()
  .regex(/^[a-z0-9-]{2,40}$/, "A store's slug is 2 to 40 of the characters a-z, 0-9 and dash.")
  .refine(
    (slug) => !(reservedWords as readonly string[]).includes(slug),
    "This word is reserved; choose another slug.",
  );

/** The store of the sandbox: connected to the stand-ins, made at the first start outside production. */
export const sandboxStore = "demo";

export const plans = ["free", "starter", "professional", "enterprise"] as const;
export const plan = z.enum(plans);
export type Plan = z.infer<typeof plan>;

/** The Messaging API is for Professional and above. */
export function planIncludesMessagingApi(name: Plan): boolean {
  return plans.indexOf(name) >= plans.indexOf("professional");
}
