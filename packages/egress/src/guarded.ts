// What every door to users' addresses shares: which addresses it may reach, and how its connections are made.
import type { Agent } from "undici";
import { guardedConnector, systemResolve } from "./connector.ts";
import type { Resolve } from "./connector.ts";
import type { UrlRules } from "./url.ts";

export interface EgressConfig {
  /** Private ranges may be called; also means loopback. The operator's word. Default no. */
  readonly allowPrivateNetwork?: boolean;
  /** This machine may be called. Default no. */
  readonly allowLoopback?: boolean;
  /** Plain http may be called. Default no. */
  readonly allowHttp?: boolean;
  /** Any port may be called, not only 443, 80 and 8443. Default no. */
  readonly allowAnyPort?: boolean;
  /** How long an idle connection is kept, in milliseconds. Default 10 s. */
  readonly keepAliveMs?: number;
  /** The longest life of a connection attempt in milliseconds; a request may ask for less. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Looks names up instead of the system, for tests of rebinding. */
  readonly resolve?: Resolve;
}

/** The rules of a door, and the options of an agent that keeps them for each connection it makes. */
export function guarded(config: EgressConfig): { rules: UrlRules; agentOptions: Agent.Options } {
  const {
    allowPrivateNetwork = false,
    allowLoopback = false,
    allowHttp = false,
    allowAnyPort = false,
  } = config;
  const rules = { allowPrivateNetwork, allowLoopback, allowHttp, allowAnyPort };
  return {
    rules,
    agentOptions: {
      connect: guardedConnector({
        rules,
        connectTimeoutMs: config.connectTimeoutMs ?? 10_000,
        resolve: config.resolve ?? systemResolve,
      }),
      allowH2: false,
      keepAliveTimeout: config.keepAliveMs ?? 10_000,
      maxHeaderSize: 16_384,
      // Each door keeps its own deadlines; two clocks for one thing would only disagree.
      headersTimeout: 0,
      bodyTimeout: 0,
    },
  };
}
