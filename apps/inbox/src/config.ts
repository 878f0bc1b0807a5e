// Settings of the inbox.
import { commonSettings, parseSettings } from "@thikaa/runtime";
import type { HttpAddress, Log, LogConfig } from "@thikaa/runtime";

export interface InboxConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  /** Where health is answered; `null` in one process with others. */
  readonly http: HttpAddress | null;
  readonly logLevel: LogConfig["level"];
  readonly log?: Log;
}

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): InboxConfig {
  const settings = parseSettings(commonSettings.omit({ THIKAA_MASTER_KEY: true }), environment);
  return {
    databaseUrl: settings.DATABASE_URL,
    natsUrl: settings.NATS_URL,
    namespace: settings.THIKAA_NAMESPACE,
    http: { host: settings.HOST, port: settings.PORT },
    logLevel: settings.LOG_LEVEL,
  };
}
