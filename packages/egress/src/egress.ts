// Outbound HTTP to addresses that users give: one guarded door with deadlines, size limits and no redirects.
import { Agent, Pool } from "undici";
import { EgressError } from "./errors.ts";
import { CountingClient, Exchange } from "./exchange.ts";
import type { EgressResponse } from "./exchange.ts";
import { guarded } from "./guarded.ts";
import type { EgressConfig } from "./guarded.ts";
import { checkUrl } from "./url.ts";

export interface EgressRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
  /** From the call to the whole answer. */
  readonly totalTimeoutMs: number;
  /** From the call to the moment when the request is written. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** More of a body is cut off, and its connection closed. */
  readonly maxResponseBytes: number;
  /**
   * Try once more, at once, when a kept connection broke before any byte of an answer: the other side had most likely closed it already.
   * It may still have seen the request, so this is only for requests that bear a repeat.
   */
  readonly retryReusedReset?: boolean;
}

export interface Egress {
  /** Resolves with any answer, whatever its status. Throws `EgressError` when there was none. Never follows a redirect. */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** Ends all connections; requests in flight fail. */
  close(): Promise<void>;
}

/** Opens the door. Connections are kept per origin, one request at a time each. */
export function createEgress(config: EgressConfig = {}): Egress {
  const { rules, agentOptions } = guarded(config);
  const agent = new Agent({
    ...agentOptions,
    factory: (origin, options) =>
      new Pool(
        origin,
        Object.assign(
          {
            factory: (client: URL, clientOptions: object) =>
              new CountingClient(client, clientOptions),
          },
          options,
        ),
      ),
    pipelining: 1,
    keepAliveMaxTimeout: 60_000,
  });
  return {
    async request(request) {
      const url = checkUrl(request.url, rules);
      const begunAt = performance.now();
      const first = begin(agent, url, request);
      try {
        return await first.done;
      } catch (error) {
        const left = request.totalTimeoutMs - (performance.now() - begunAt);
        const again =
          request.retryReusedReset &&
          first.reused &&
          error instanceof EgressError &&
          error.code === "reset" &&
          left > 0;
        if (!again) throw error;
        return await begin(agent, url, { ...request, totalTimeoutMs: left }).done;
      }
    },
    close: () => agent.destroy(),
  };
}

function begin(agent: Agent, url: URL, request: EgressRequest): Exchange {
  const { maxResponseBytes, totalTimeoutMs, signal, connectTimeoutMs = 5_000 } = request;
  const exchange = new Exchange({ maxResponseBytes, totalTimeoutMs, connectTimeoutMs, signal });
  try {
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
      },
      exchange,
    );
  } catch (error) {
    exchange.refuse(error);
  }
  return exchange;
}
