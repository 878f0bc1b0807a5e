// Settings of the inbox.
import { commonSettings, parseSettings } from "@thikaa/runtime";
import type { AppAddress, Log, LogConfig } from "@thikaa/runtime";
import { z } from "zod";

export interface InboxConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  /** Signs the links to media. */
  readonly masterKey: string;
  /** Where the house is reached from outside: links to media begin with it. */
  readonly publicUrl: string;
  /** Where health is answered; `null` in one process with others. */
  readonly http: AppAddress | null;
  /** The most connections to PostgreSQL; `defaultPoolSize` otherwise. */
  readonly poolSize?: number | undefined;
  readonly logLevel: LogConfig["level"];
  readonly log?: Log;
}

export const defaultPoolSize = 6;

const settingsOfInbox = commonSettings.extend({
  PUBLIC_URL: z.url({
    error: "is not set: where the house is reached from outside, like https://messages.example.com",
  }),
});

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): InboxConfig {
  const settings = parseSettings(settingsOfInbox, environment);
  return {
    databaseUrl: settings.DATABASE_URL,
    natsUrl: settings.NATS_URL,
    namespace: settings.THIKAA_NAMESPACE,
    masterKey: settings.THIKAA_MASTER_KEY,
    publicUrl: settings.PUBLIC_URL,
    http: { host: settings.HOST, port: settings.PORT, metricsPort: settings.METRICS_PORT },
    poolSize: settings.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: settings.LOG_LEVEL,
  };
}
