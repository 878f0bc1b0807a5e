// Settings of standalone: everything has a default outside production; inside it nothing secret is invented.
import { randomBytes } from "node:crypto";
import { isAbsolute, resolve } from "node:path";
import { flag, parseSettings, port, SettingsError } from "@thikaa/runtime";
import type { Environment, LogConfig } from "@thikaa/runtime";
import { z } from "zod";

export interface StandaloneConfig {
  readonly environment: Environment;
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** A port on loopback for `/metrics`; without one they are told at `port`, where that is on loopback. */
  readonly metricsPort: number | null;
  readonly publicUrl: string | null;
  readonly sandbox: boolean;
  readonly allowPrivateNetwork: boolean;
  readonly namespace: string;
  readonly logLevel: LogConfig["level"];
  /** `null` runs PostgreSQL and NATS from the data folder. */
  readonly databaseUrl: string | null;
  readonly natsUrl: string | null;
  /** `null` takes (and outside production makes) the ones in the data folder. */
  readonly masterKey: string | null;
  readonly adminToken: string | null;
  /** Where media lie; a folder of the data folder otherwise. */
  readonly mediaStoreUrl: string | null;
  /** Telegram's own server, or the operator's. */
  readonly telegramUrl: string | null;
  /** A stand-in for WhatsApp's own server, which production refuses. */
  readonly whatsappWebUrl: string | null;
}

const settings = z.object({
  THIKAA_ENV: z
    .enum(["production", "development"], { error: "must be 'production' or 'development'" })
    .default("development"),
  THIKAA_DATA_DIR: z.string().default(".data"),
  THIKAA_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]+$/i, "letters, digits, dash and underscore only")
    .optional(),
  THIKAA_SANDBOX: flag.optional(),
  THIKAA_ALLOW_PRIVATE_NETWORK: flag.default(false),
  THIKAA_MASTER_KEY: z.string().optional(),
  THIKAA_ADMIN_TOKEN: z.string().min(16, "is too short: at least 16 characters").optional(),
  DATABASE_URL: z.string().optional(),
  NATS_URL: z.string().optional(),
  PUBLIC_URL: z.url({ error: "must be a full URL, like https://messages.example.com" }).optional(),
  TELEGRAM_API_URL: z.url({ error: "must be a full URL" }).optional(),
  WHATSAPP_WEB_URL: z.url({ error: "must be a full URL" }).optional(),
  MEDIA_STORE_URL: z.string().optional(),
  HOST: z.string().optional(),
  PORT: port.default(3000),
  METRICS_PORT: port.optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("warn"),
});

/** Reads the settings from the environment; throws one error that lists every fault. Relative folders count from `root`. */
export function readConfig(
  environment: NodeJS.ProcessEnv = process.env,
  root: string = process.cwd(),
): StandaloneConfig {
  const given = parseSettings(settings, environment);
  const production = given.THIKAA_ENV === "production";
  const faults = production ? productionFaults(given) : [];
  if (faults.length > 0) throw new SettingsError(faults);
  const sandbox = given.THIKAA_SANDBOX ?? !production;
  return {
    environment: given.THIKAA_ENV,
    dataDir: isAbsolute(given.THIKAA_DATA_DIR)
      ? given.THIKAA_DATA_DIR
      : resolve(root, given.THIKAA_DATA_DIR),
    host: given.HOST ?? (sandbox ? "127.0.0.1" : "0.0.0.0"),
    port: given.PORT,
    metricsPort: given.METRICS_PORT ?? null,
    publicUrl: given.PUBLIC_URL?.replace(/\/+$/, "") ?? null,
    sandbox,
    allowPrivateNetwork: given.THIKAA_ALLOW_PRIVATE_NETWORK,
    // Two houses on one NATS must not hear each other; one of its own is known by its folder alone.
    namespace:
      given.THIKAA_NAMESPACE ??
      (given.NATS_URL === undefined ? `local-${randomBytes(4).toString("hex")}` : "thikaa"),
    logLevel: given.LOG_LEVEL,
    databaseUrl: given.DATABASE_URL ?? null,
    natsUrl: given.NATS_URL ?? null,
    masterKey: given.THIKAA_MASTER_KEY ?? null,
    adminToken: given.THIKAA_ADMIN_TOKEN ?? null,
    mediaStoreUrl: given.MEDIA_STORE_URL ?? null,
    telegramUrl: given.TELEGRAM_API_URL ?? null,
    whatsappWebUrl: given.WHATSAPP_WEB_URL ?? null,
  };
}

function productionFaults(given: z.infer<typeof settings>): string[] {
  const faults: string[] = [];
  if (given.THIKAA_MASTER_KEY === undefined)
    faults.push(
      'THIKAA_MASTER_KEY: is not set; in production it is yours to keep. Make one with: echo "k1:$(openssl rand -base64 32)"',
    );
  if (given.THIKAA_ADMIN_TOKEN === undefined)
    faults.push("THIKAA_ADMIN_TOKEN: is not set; make one with: openssl rand -base64 32");
  if (given.WHATSAPP_WEB_URL !== undefined)
    faults.push("WHATSAPP_WEB_URL: another server than WhatsApp's own is refused in production");
  if (given.THIKAA_SANDBOX === true)
    faults.push("THIKAA_SANDBOX: stand-ins are refused in production; leave it out");
  return faults;
}
