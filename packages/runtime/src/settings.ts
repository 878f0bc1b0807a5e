// Settings: parsed once by zod, with every fault listed together; the schemas that several apps share.
import { z } from "zod";

/** Thrown when settings are wrong; its message is for the operator and names each setting. */
export class SettingsError extends Error {
  constructor(faults: readonly string[]) {
    super(`The settings are not right:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
    this.name = "SettingsError";
  }
}

/** Parses the environment by a schema of setting names; empty values count as absent. Throws `SettingsError` with all faults. */
export function parseSettings<Schema extends z.ZodType>(
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): z.infer<Schema> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues.map((issue) => `${issue.path.join(".") || "settings"}: ${issue.message}`),
  );
}

/** `0`/`1` (also `true`/`false`) as a boolean. */
export const flag = z
  .enum(["0", "1", "true", "false"], { error: "must be 0 or 1" })
  .transform((value) => value === "1" || value === "true");

export const port = z.coerce
  .number({ error: "must be a port number" })
  .int("must be a port number")
  .min(0)
  .max(65_535);

/** What every app needs from its surroundings. */
export const commonSettings = z.object({
  THIKAA_ENV: z
    .enum(["production", "development"], { error: "must be 'production' or 'development'" })
    .default("development"),
  THIKAA_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]+$/i, "letters, digits, dash and underscore only")
    .default("thikaa"),
  DATABASE_URL: z.string({
    error: "is not set: the database's URL, like postgresql://user:password@host:5432/thikaa",
  }),
  NATS_URL: z.string({ error: "is not set: the address of NATS, like nats://host:4222" }),
  THIKAA_MASTER_KEY: z.string({
    error: 'is not set: make one with: echo "k1:$(openssl rand -base64 32)"',
  }),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  HOST: z.string().default("0.0.0.0"),
  PORT: port.default(3000),
  /** `/metrics` is told here and not on the public port. */
  METRICS_PORT: port.default(9464),
  /** The most connections to PostgreSQL that this process opens; each app has a number of its own otherwise. */
  DATABASE_POOL_SIZE: z.coerce
    .number({ error: "must be a number of connections" })
    .int("must be a whole number")
    .min(2, "must be at least 2")
    .max(1_000, "must be at most 1000")
    .optional(),
  PUBLIC_URL: z.url().optional(),
});

export type Environment = "production" | "development";
