// Settings of the gateway.
import { blobStoreUrlFault } from "@thikaa/blobs";
import { commonSettings, parseSettings } from "@thikaa/runtime";
import type { AppAddress, Environment, Log, LogConfig } from "@thikaa/runtime";
import { z } from "zod";

export interface GatewayConfig {
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  readonly publicUrl: string | null;
  /** Where media are kept, as `MEDIA_STORE_URL` says it; without one every link to media is answered 404. */
  readonly mediaStoreUrl?: string | null;
  /** Where to listen; `null` when another server mounts the handler. */
  readonly http: AppAddress | null;
  /** The most connections to PostgreSQL; `defaultPoolSize` otherwise. */
  readonly poolSize?: number | undefined;
  readonly logLevel: LogConfig["level"];
  /** Milliseconds in which a request that is wholly here is answered; 10 s otherwise. */
  readonly answerWithinMs?: number;
  /** A log to write to instead of an own one. */
  readonly log?: Log;
}

export const defaultPoolSize = 12;

const settingsOfGateway = commonSettings.extend({
  MEDIA_STORE_URL: z
    .string()
    .superRefine((url, context) => {
      const fault = blobStoreUrlFault(url);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .optional(),
});

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const settings = parseSettings(settingsOfGateway, environment);
  return {
    environment: settings.THIKAA_ENV,
    databaseUrl: settings.DATABASE_URL,
    natsUrl: settings.NATS_URL,
    namespace: settings.THIKAA_NAMESPACE,
    masterKey: settings.THIKAA_MASTER_KEY,
    publicUrl: settings.PUBLIC_URL ?? null,
    mediaStoreUrl: settings.MEDIA_STORE_URL ?? null,
    http: { host: settings.HOST, port: settings.PORT, metricsPort: settings.METRICS_PORT },
    poolSize: settings.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: settings.LOG_LEVEL,
  };
}
