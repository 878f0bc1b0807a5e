// Settings of the console: read once from the environment, with every fault named.
import { blobStoreUrlFault } from "@thikaa/blobs";
import { commonSettings, flag, parseSettings } from "@thikaa/runtime";
import type { AppAddress, Environment, Log, LogConfig } from "@thikaa/runtime";
import { z } from "zod";

export interface ConsoleConfig {
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  /** Who presents it may do everything. */
  readonly adminToken: string;
  /** Under which the house is reached from outside, without a last slash; `null` when only here. */
  readonly publicUrl: string | null;
  /** Whether the sandbox with its stand-ins is open in this house. */
  readonly sandbox: boolean;
  /** Whether webhooks may lead into the operator's own network. */
  readonly allowPrivateNetwork: boolean;
  /** Where media are kept, as `MEDIA_STORE_URL` says it, for the doctor to ask; `null` when it is not known here. */
  readonly mediaStoreUrl?: string | null;
  /** `null` when another server passes requests to `Service.handle`. */
  readonly http: AppAddress | null;
  /** The most connections to PostgreSQL; `defaultPoolSize` otherwise. */
  readonly poolSize?: number | undefined;
  readonly logLevel?: LogConfig["level"];
  readonly log?: Log;
  /** How long `connection add` waits for the channel's first report, in milliseconds; 20 s by default. */
  readonly firstCheckMs?: number;
}

export const defaultPoolSize = 8;

const settings = commonSettings.extend({
  THIKAA_ADMIN_TOKEN: z
    .string({ error: "is not set: make one with: openssl rand -base64 32" })
    .min(16, "is too short: at least 16 characters"),
  THIKAA_SANDBOX: flag.optional(),
  MEDIA_STORE_URL: z
    .string()
    .superRefine((url, context) => {
      const fault = blobStoreUrlFault(url);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .optional(),
  THIKAA_ALLOW_PRIVATE_NETWORK: flag.default(false),
});

/** Reads the settings; throws `SettingsError` that lists all faults. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ConsoleConfig {
  const read = parseSettings(settings, environment);
  return {
    environment: read.THIKAA_ENV,
    databaseUrl: read.DATABASE_URL,
    natsUrl: read.NATS_URL,
    namespace: read.THIKAA_NAMESPACE,
    masterKey: read.THIKAA_MASTER_KEY,
    adminToken: read.THIKAA_ADMIN_TOKEN,
    publicUrl: read.PUBLIC_URL?.replace(/\/+$/, "") ?? null,
    sandbox: read.THIKAA_SANDBOX ?? read.THIKAA_ENV !== "production",
    mediaStoreUrl: read.MEDIA_STORE_URL ?? null,
    allowPrivateNetwork: read.THIKAA_ALLOW_PRIVATE_NETWORK,
    http: { host: read.HOST, port: read.PORT, metricsPort: read.METRICS_PORT },
    poolSize: read.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: read.LOG_LEVEL,
  };
}
