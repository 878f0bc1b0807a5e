// One port for http and https: the first byte of a connection tells which it is.
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, RequestListener, Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Certificate } from "./certificate.ts";

/** What comes in: requests, and requests to become a WebSocket. */
export interface PortOptions {
  host: string;
  port: number;
  certificate: Certificate;
  request: RequestListener;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Port {
  /** `127.0.0.1:8081` */
  readonly authority: string;
  close(): Promise<void>;
}

/** The first byte of a TLS connection. */
const TLS_HANDSHAKE = 0x16;

/** Resolves when it listens. Rejects when the port is taken. */
export async function openPort(options: PortOptions): Promise<Port> {
  const { certificate, key } = options.certificate;
  const plain = createHttpServer(options.request);
  const secure = createHttpsServer({ cert: certificate, key }, options.request);
  const sockets = new Set<Socket>();
  for (const server of [plain, secure]) server.on("upgrade", options.upgrade);
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    hand(socket, { plain, secure });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: options.host, port: options.port, backlog: 4_096 }, resolve);
  await promise;
  server.off("error", reject);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : options.port;
  const name = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    authority: `${name}:${bound}`,
    close: () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      // What was just written gets one turn of the loop to leave.
      setImmediate(() => {
        for (const socket of sockets) socket.destroy();
      });
      return closed;
    },
  };
}

function hand(socket: Socket, { plain, secure }: { plain: HttpServer; secure: HttpServer }): void {
  socket.once("data", (first: Buffer) => {
    socket.pause();
    socket.unshift(first);
    (first[0] === TLS_HANDSHAKE ? secure : plain).emit("connection", socket);
    process.nextTick(() => socket.resume());
  });
}
