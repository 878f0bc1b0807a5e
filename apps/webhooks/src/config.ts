// Settings of the webhooks app.
import { commonSettings, flag, parseSettings } from "@thikaa/runtime";
import type { AppAddress, Environment, Log, LogConfig } from "@thikaa/runtime";

export interface WebhooksConfig {
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  /** Webhooks may go to private addresses, by plain http and to any port, also in production: the operator's word. */
  readonly allowPrivateNetwork: boolean;
  /** Where health and metrics are served; `null` for nowhere. */
  readonly http: AppAddress | null;
  /** The most connections to PostgreSQL; `defaultPoolSize` otherwise. */
  readonly poolSize?: number | undefined;
  readonly logLevel: LogConfig["level"];
  /** A log to write to instead of an own one. */
  readonly log?: Log;
}

export const defaultPoolSize = 10;

const webhooksSettings = commonSettings.extend({
  THIKAA_ALLOW_PRIVATE_NETWORK: flag.default(false),
});

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): WebhooksConfig {
  const settings = parseSettings(webhooksSettings, environment);
  return {
    environment: settings.THIKAA_ENV,
    databaseUrl: settings.DATABASE_URL,
    natsUrl: settings.NATS_URL,
    namespace: settings.THIKAA_NAMESPACE,
    masterKey: settings.THIKAA_MASTER_KEY,
    allowPrivateNetwork: settings.THIKAA_ALLOW_PRIVATE_NETWORK,
    http: { host: settings.HOST, port: settings.PORT, metricsPort: settings.METRICS_PORT },
    poolSize: settings.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: settings.LOG_LEVEL,
  };
}
