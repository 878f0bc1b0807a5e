// Settings of the webhooks app.
import { commonSettings, flag, parseSettings } from "@thikaa/runtime";
import type { Environment, HttpAddress, Log, LogConfig } from "@thikaa/runtime";

export interface WebhooksConfig {
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  /** Webhooks may go to private addresses, by plain http and to any port, also in production: the operator's word. */
  readonly allowPrivateNetwork: boolean;
  /** Where health and metrics are served; `null` for nowhere. */
  readonly http: HttpAddress | null;
  readonly logLevel: LogConfig["level"];
  /** A log to write to instead of an own one. */
  readonly log?: Log;
}

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
    http: { host: settings.HOST, port: settings.PORT },
    logLevel: settings.LOG_LEVEL,
  };
}
