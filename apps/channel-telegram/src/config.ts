// The settings of this app, from the environment.
import { defaultPoolSize, mediaStoreUrl } from "@thikaa/connector-kit/host";
import type { HostConfig } from "@thikaa/connector-kit/host";
import { commonSettings, flag, parseSettings } from "@thikaa/runtime";
import { z } from "zod";

const baseUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

const settings = commonSettings
  .extend({
    /** A Bot API server of the operator's own. */
    TELEGRAM_API_URL: baseUrl.default("https://api.telegram.org"),
    /** The stand-in, for connections of the sandbox. */
    TELEGRAM_SANDBOX_URL: baseUrl.optional(),
    MEDIA_STORE_URL: mediaStoreUrl,
    THIKAA_ALLOW_PRIVATE_NETWORK: flag.default(false),
  })
  .refine(
    (given) => given.THIKAA_ENV !== "production" || given.TELEGRAM_SANDBOX_URL === undefined,
    {
      path: ["TELEGRAM_SANDBOX_URL"],
      message: "is set, but there is no sandbox in production: unset it",
    },
  );

/** Reads the settings; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): HostConfig {
  const given = parseSettings(settings, environment);
  return {
    environment: given.THIKAA_ENV,
    databaseUrl: given.DATABASE_URL,
    natsUrl: given.NATS_URL,
    namespace: given.THIKAA_NAMESPACE,
    masterKey: given.THIKAA_MASTER_KEY,
    mediaStoreUrl: given.MEDIA_STORE_URL,
    allowPrivateNetwork: given.THIKAA_ALLOW_PRIVATE_NETWORK,
    webhookBase: webhookBaseOf(given.PUBLIC_URL),
    baseUrls: { live: given.TELEGRAM_API_URL, sandbox: given.TELEGRAM_SANDBOX_URL ?? null },
    http: { host: given.HOST, port: given.PORT, metricsPort: given.METRICS_PORT },
    poolSize: given.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: given.LOG_LEVEL,
  };
}

/** Telegram posts to https only; without it, bots are polled. */
export function webhookBaseOf(publicUrl: string | undefined): string | null {
  return publicUrl?.startsWith("https://") ? publicUrl.replace(/\/+$/, "") : null;
}
