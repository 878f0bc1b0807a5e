// A TCP proxy that can be told to misbehave as networks do.
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/**
 * What happens to bytes and connections:
 * - `pass`: all goes through at once;
 * - `delay`: all goes through, each piece `ms` later, in order;
 * - `blackHole`: connections are accepted and stay open, nothing goes through (in one `direction`, where it is given);
 * - `reset`: connections are reset at once;
 * - `cut`: the connection is reset once `bytes` bytes of `direction` (default: answers) went through;
 * - `refuse`: nothing listens any more, so new connections are refused; open ones go on as with `pass`.
 */
export type Fault =
  | { kind: "pass" }
  | { kind: "delay"; ms: number }
  | { kind: "blackHole"; direction?: Direction }
  | { kind: "reset" }
  | { kind: "cut"; bytes: number; direction?: Direction }
  | { kind: "refuse" };

/** From the client to the server, or back. */
export type Direction = "requests" | "answers";

/** A running proxy. */
export interface FaultProxy {
  host: string;
  port: number;
  /** The target's URL with the proxy's host and port; for a target given as host and port, `tcp://…`. */
  url: string;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  /** Changes the behaviour for open connections and new ones; a `cut` counts from now. */
  set(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  server: Socket;
  passed: Record<Direction, number>;
  /** Settles when all pieces read so far are forwarded: delayed pieces must never be overtaken. */
  queue: Record<Direction, Promise<void>>;
}

/** Starts a proxy on a free port of 127.0.0.1 before `target`, a URL with a port or `host:port`. It passes everything at first. */
export async function startFaultProxy(options: { target: string }): Promise<FaultProxy> {
  const target = new URL(
    options.target.includes("://") ? options.target : `tcp://${options.target}`,
  );
  const proxy = new TcpProxy(target);
  await proxy.listen(0);
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly host = "127.0.0.1";
  port = 0;
  accepted = 0;
  readonly #target: URL;
  readonly #pairs = new Set<Pair>();
  #fault: Fault = { kind: "pass" };
  #server: Server | undefined;

  constructor(target: URL) {
    this.#target = target;
  }

  get open(): number {
    return this.#pairs.size;
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = this.host;
    url.port = `${this.port}`;
    return url.href;
  }

  async set(fault: Fault): Promise<void> {
    this.#fault = fault;
    for (const pair of this.#pairs) {
      pair.passed = { requests: 0, answers: 0 };
      if (fault.kind === "reset") reset(pair);
      // What a black hole held back goes on when it ends, as after a network's outage.
      this.#holdBack(pair);
    }
    if (fault.kind === "refuse") await this.#stopListening();
    else if (this.#server === undefined) await this.listen(this.port);
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) reset(pair);
    await this.#stopListening();
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server = server;
    await once(server.listen(port, this.host), "listening");
    this.port = (server.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    // Node's server closes its port at once but reports it only when its connections end; those may go on.
    server?.close();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    if (this.#fault.kind === "reset") return void client.resetAndDestroy();
    const server = connect({
      host: this.#target.hostname,
      port: Number(this.#target.port),
      allowHalfOpen: true,
    });
    const pair: Pair = {
      client,
      server,
      passed: { requests: 0, answers: 0 },
      queue: { requests: Promise.resolve(), answers: Promise.resolve() },
    };
    this.#pairs.add(pair);
    this.#pump(pair, "requests");
    this.#pump(pair, "answers");
    this.#holdBack(pair);
    for (const socket of [client, server]) {
      socket.on("error", () => reset(pair));
      socket.on("close", () => this.#pairs.delete(pair));
    }
  }

  /** Reads from both sides, except from those whose bytes fall into a black hole. */
  #holdBack({ client, server }: Pair): void {
    const held = (direction: Direction): boolean =>
      this.#fault.kind === "blackHole" && (this.#fault.direction ?? direction) === direction;
    void (held("requests") ? client.pause() : client.resume());
    void (held("answers") ? server.pause() : server.resume());
  }

  #pump(pair: Pair, direction: Direction): void {
    const [from, to] =
      direction === "requests" ? [pair.client, pair.server] : [pair.server, pair.client];
    const later = (work: () => void): void => {
      const due = this.#fault.kind === "delay" ? performance.now() + this.#fault.ms : 0;
      pair.queue[direction] = pair.queue[direction].then(() => untilTime(due)).then(work);
    };
    from.on("data", (piece: Buffer) => later(() => this.#forward({ pair, direction, piece, to })));
    from.on("end", () => later(() => to.end()));
  }

  #forward(forward: { pair: Pair; direction: Direction; piece: Buffer; to: Socket }): void {
    const { pair, direction, piece, to } = forward;
    const fault = this.#fault;
    const isCut = fault.kind === "cut" && (fault.direction ?? "answers") === direction;
    const left = isCut ? fault.bytes - pair.passed[direction] : piece.length;
    pair.passed[direction] += piece.length;
    if (!isCut || piece.length < left) return void to.write(piece);
    // The bytes before the cut have to arrive, so the reset waits until they are written.
    to.write(piece.subarray(0, Math.max(left, 0)), () => reset(pair));
  }
}

function reset(pair: Pair): void {
  for (const socket of [pair.client, pair.server]) if (!socket.destroyed) socket.resetAndDestroy();
}

async function untilTime(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > 0) await pause(left);
}
