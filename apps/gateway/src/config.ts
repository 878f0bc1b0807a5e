// Settings of the gateway.
import { commonSettings, parseSettings } from "@thikaa/runtime";
import type { Environment, HttpAddress, Log, LogConfig } from "@thikaa/runtime";

export interface GatewayConfig {
  readonly environment: Environment;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  readonly publicUrl: string | null;
  /** Where to listen; `null` when another server mounts the handler. */
  readonly http: HttpAddress | null;
  readonly logLevel: LogConfig["level"];
  /** Milliseconds in which a request that is wholly here is answered; 10 s otherwise. */
  readonly answerWithinMs?: number;
  /** A log to write to instead of an own one. */
  readonly log?: Log;
}

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const settings = parseSettings(commonSettings, environment);
  return {
    environment: settings.THIKAA_ENV,
    databaseUrl: settings.DATABASE_URL,
    natsUrl: settings.NATS_URL,
    namespace: settings.THIKAA_NAMESPACE,
    masterKey: settings.THIKAA_MASTER_KEY,
    publicUrl: settings.PUBLIC_URL ?? null,
    http: { host: settings.HOST, port: settings.PORT },
    logLevel: settings.LOG_LEVEL,
  };
}
