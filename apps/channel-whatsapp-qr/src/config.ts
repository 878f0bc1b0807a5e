// The settings of this app, from the environment.
import { defaultPoolSize, mediaStoreUrl } from "@thikaa/connector-kit/host";
import { commonSettings, flag, parseSettings } from "@thikaa/runtime";
import { z } from "zod";
import { officialUrl } from "./official-url.ts";
import type { WhatsAppConfig } from "./start.ts";

const serverUrl = z.url({
  protocol: /^(wss?|https?)$/,
  error: "must be a ws, wss, http or https URL",
});

const settings = commonSettings
  .extend({
    /** A stand-in for WhatsApp's server. It is trusted, whoever signed its certificates. */
    WHATSAPP_WEB_URL: serverUrl.default(officialUrl),
    /** The stand-in, for connections of the sandbox. */
    WHATSAPP_WEB_SANDBOX_URL: serverUrl.optional(),
    /** The most phones that this process runs; more wait for another process. */
    WHATSAPP_WEB_SESSIONS: z.coerce
      .number({ error: "must be a whole number from 1 to 1000" })
      .int()
      .min(1)
      .max(1_000)
      .optional(),
    MEDIA_STORE_URL: mediaStoreUrl,
    THIKAA_ALLOW_PRIVATE_NETWORK: flag.default(false),
  })
  .refine(
    (given) =>
      given.THIKAA_ENV !== "production" || withoutSlash(given.WHATSAPP_WEB_URL) === officialUrl,
    {
      path: ["WHATSAPP_WEB_URL"],
      message: "names another server than WhatsApp's own, which is refused in production: unset it",
    },
  )
  .refine(
    (given) => given.THIKAA_ENV !== "production" || given.WHATSAPP_WEB_SANDBOX_URL === undefined,
    {
      path: ["WHATSAPP_WEB_SANDBOX_URL"],
      message: "is set, but there is no sandbox in production: unset it",
    },
  );

/** Reads the settings; throws one error that lists every fault. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): WhatsAppConfig {
  const given = parseSettings(settings, environment);
  return {
    environment: given.THIKAA_ENV,
    databaseUrl: given.DATABASE_URL,
    natsUrl: given.NATS_URL,
    namespace: given.THIKAA_NAMESPACE,
    masterKey: given.THIKAA_MASTER_KEY,
    mediaStoreUrl: given.MEDIA_STORE_URL,
    allowPrivateNetwork: given.THIKAA_ALLOW_PRIVATE_NETWORK,
    // WhatsApp tells everything over the socket.
    webhookBase: null,
    baseUrls: {
      live: given.WHATSAPP_WEB_URL,
      sandbox: given.WHATSAPP_WEB_SANDBOX_URL ?? null,
    },
    http: { host: given.HOST, port: given.PORT, metricsPort: given.METRICS_PORT },
    poolSize: given.DATABASE_POOL_SIZE ?? defaultPoolSize,
    logLevel: given.LOG_LEVEL,
    mostSessions: given.WHATSAPP_WEB_SESSIONS,
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
