// HTTP servers with bounded patience: slow, idle and endless requests are cut off; closing waits for answers in flight.
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { exposition } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";

export interface HttpAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The setting that chose the port, for the words when it is taken; `PORT` otherwise. */
  readonly setting?: string;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Takes no new connections, finishes answers in flight (at most `graceMs`), closes the rest. */
  close(graceMs?: number): Promise<void>;
}

/** How long a server waits for its clients, in milliseconds. */
export interface Patience {
  /** For the end of the headers, from the connection's beginning. */
  readonly headersMs: number;
  /** For the end of the whole request. */
  readonly requestMs: number;
  /** For the next request on an idle connection. */
  readonly idleMs: number;
  /** How often the first two are looked at: they may be exceeded by as much. */
  readonly checkMs: number;
}

export const patience: Patience = {
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 15_000,
  checkMs: 2_000,
};

/** Starts an HTTP server; rejects when the address is taken, naming it. `impatience` shortens the usual patience. */
export async function serveHttp(
  address: HttpAddress,
  listener: RequestListener,
  impatience: Partial<Patience> = {},
): Promise<HttpServer> {
  const { headersMs, requestMs, idleMs, checkMs } = { ...patience, ...impatience };
  const server = createServer(
    {
      connectionsCheckingInterval: checkMs,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      maxHeaderSize: 16_384,
    },
    listener,
  );
  server.maxConnections = 20_000;
  server.on("clientError", refuseClient);
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const host = address.host === "0.0.0.0" || address.host === "::" ? "127.0.0.1" : address.host;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    close: (graceMs = 5_000) => close(server, graceMs),
  };
}

/** What can't be taken as a request is told why, as far as HTTP has a word for it. */
function refuseClient(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = clientErrors[error.code ?? ""] ?? "400 Bad Request";
  if (socket.writable)
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  else socket.destroy();
}

const clientErrors: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Where an app listens. */
export interface AppAddress extends HttpAddress {
  /** A port of its own for `/metrics`, which is no public path; without one they are not served. */
  readonly metricsPort?: number | undefined;
}

export interface AppServer extends HttpServer {
  /** `null` when metrics are not served. */
  readonly metricsUrl: string | null;
}

/** Serves an app: its paths and its health on one port, its metrics on another. */
export async function serveApp(
  address: AppAddress,
  app: { ready: () => boolean; metrics: Metrics; next: RequestListener },
): Promise<AppServer> {
  const server = await serveHttp(address, withHealth(app.ready, app.next));
  if (address.metricsPort === undefined) return { ...server, metricsUrl: null };
  const metricsAddress = { host: address.host, port: address.metricsPort, setting: "METRICS_PORT" };
  const metrics = await serveHttp(metricsAddress, withMetrics(app.metrics)).catch(
    async (error: unknown) => {
      await server.close(0);
      throw error;
    },
  );
  return {
    ...server,
    metricsUrl: `${metrics.url}/metrics`,
    // An end that takes long should still be seen.
    close: async (graceMs) => {
      await server.close(graceMs);
      await metrics.close(0);
    },
  };
}

/** Answers `/healthz` and `/readyz`; anything else goes to `next`. */
export function withHealth(ready: () => boolean, next: RequestListener): RequestListener {
  return (request, response) => {
    const path = pathOf(request);
    if (path === "/healthz") return answerText(response, 200, "ok\n");
    if (path !== "/readyz") return next(request, response);
    return ready()
      ? answerText(response, 200, "ready\n")
      : answerText(response, 503, "not ready\n");
  };
}

/** Answers `/metrics`, with those of the apps in this process beside it; anything else goes to `next`. */
export function withMetrics(
  metrics: Metrics,
  others: () => readonly Metrics[] = () => [],
  next: RequestListener = notFound,
): RequestListener {
  return (request, response) => {
    if (pathOf(request) !== "/metrics") return next(request, response);
    exposition(metrics, others()).then(
      (text) => response.writeHead(200, { "Content-Type": metrics.registry.contentType }).end(text),
      () => response.destroy(),
    );
  };
}

function pathOf(request: IncomingMessage): string | undefined {
  return request.url?.split("?")[0];
}

/** Answers with a short text. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    })
    .end(text);
}

/** Answers with JSON in one write. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(text),
      "X-Content-Type-Options": "nosniff",
    })
    .end(text);
}

/** A listener for services without HTTP paths of their own. */
export function notFound(_request: IncomingMessage, response: ServerResponse): void {
  answerJson(response, 404, { ok: false, error: "not_found", message: "There is nothing here." });
}

function listen(server: Server, address: HttpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const text =
        error.code === "EADDRINUSE"
          ? `Port ${address.port} is taken by another program; choose another one with ${address.setting ?? "PORT"}.`
          : error.message;
      reject(new Error(text, { cause: error }));
    });
    server.listen(address.port, address.host, resolve);
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    // A server that is closed already calls back with an error, which says nothing new.
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
