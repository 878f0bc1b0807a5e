// What a connector's host needs from its surroundings; read from the environment by the channel app's `config.ts`.
import { blobStoreUrlFault } from "@thikaa/blobs";
import type { AppAddress, Log, LogConfig } from "@thikaa/runtime";
import { z } from "zod";

export interface HostConfig {
  readonly environment: "production" | "development";
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  /** Where customers' files are kept, as `MEDIA_STORE_URL` says it. */
  readonly mediaStoreUrl: string;
  /** Whether users' addresses may lie in private networks; the operator's word. */
  readonly allowPrivateNetwork?: boolean;
  /** Where providers reach our `/hooks/…`, without a slash at the end; `null` when they can't: connectors poll then. Connections of the sandbox always poll. */
  readonly webhookBase: string | null;
  /** Where the provider is, by the connection's environment. `sandbox: null` when there is no stand-in here. */
  readonly baseUrls: { readonly live: string; readonly sandbox: string | null };
  /** Its own port, for a pod; `null` when another process's server hands requests to `Service.handle`. */
  readonly http: AppAddress | null;
  /** The most connections to PostgreSQL; `defaultPoolSize` otherwise. */
  readonly poolSize?: number | undefined;
  /** Milliseconds between two rounds of upkeep of a connection; `hostLimits.upkeepMs` otherwise. */
  readonly upkeepMs?: number | undefined;
  readonly logLevel: LogConfig["level"];
  /** Used instead of a log of its own. */
  readonly log?: Log;
}

/** `MEDIA_STORE_URL`, as a channel app's settings take it. */
export const mediaStoreUrl = z
  .string({
    error: "is not set: where customers' files are kept, like s3://key:secret@host/bucket",
  })
  .superRefine((url, context) => {
    const fault = blobStoreUrlFault(url);
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  });

export const defaultPoolSize = 10;

/** Numbers that hold for every connection. */
export const hostLimits = {
  /** Recipients that are sent to at once on one connection. */
  lanes: 32,
  /** Connections that claim in one transaction. */
  claimBatch: 64,
  /** Outcomes written in one transaction. */
  settleBatch: 256,
  /** Milliseconds that sends in flight may take at the end; then they are cut off, and told as uncertain. */
  sendGraceMs: 7_000,
  /** Milliseconds for what was cut off to be written down. */
  cutGraceMs: 800,
  /** Milliseconds for one try of a connection that is no longer wanted to take back what it told the provider. */
  retireMs: 10_000,
  /** Milliseconds between two rounds of upkeep of a connection. */
  upkeepMs: 3_600_000,
  /** People of one connection who are being shown that somebody writes; more are not shown. */
  typingAtOnce: 16,
  typingMs: 5_000,
  webhookBodyBytes: 1_048_576,
  /** The backoff between tries to reach a provider stays at its third step: about 30 s. */
  backoffSteps: 3,
} as const;
