// The bus: rings on core NATS, typed by the shared schema. Nothing here is a promise; every reader also polls.
import { rings, shardOf, storeShards, subjects } from "@thikaa/schema";
import type { RingName, RingPayload } from "@thikaa/schema";
import { connect, errors } from "@nats-io/transport-node";
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { z } from "zod";

export interface BusConfig {
  readonly url: string;
  /** First token of every subject; keeps several houses on one NATS apart. */
  readonly namespace: string;
  /** Shown in NATS's list of connections. */
  readonly name: string;
}

export interface RingListener {
  close(): void;
}

type SubjectOf = {
  [Name in RingName]: (typeof subjects)[Name];
};

/** Which ring, for whom: `{ ring: "event", to: [storeId] }`; ring and parameters go to `subjects`. */
export interface RingAddress<Name extends RingName> {
  readonly ring: Name;
  readonly to: Parameters<SubjectOf[Name]>;
}

/** NATS can't be reached now; the same may succeed later. */
export class BusAwayError extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`NATS can't be reached: ${reason}.`, { cause });
    this.name = "BusAwayError";
  }
}

const oldestServer = [2, 10, 23] as const;

/** A connection to NATS that comes back by itself. Ringing while it is away is silently dropped: a ring may be lost. */
export class Bus {
  readonly #connection: NatsConnection;
  readonly #namespace: string;
  #standing = true;

  private constructor(connection: NatsConnection, namespace: string) {
    this.#connection = connection;
    this.#namespace = namespace;
    void this.#watch();
  }

  /** Connects once; afterwards it comes back by itself, for ever. Throws `BusAwayError`; refuses servers older than 2.10.23. */
  static async connect(config: BusConfig): Promise<Bus> {
    const { server, ...login } = splitUrl(config.url);
    const connection = await connect({
      servers: server,
      ...login,
      name: config.name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      waitOnFirstConnect: false,
      // A wire that was cut in silence is noticed by answers that don't come: after 15 s at most.
      pingInterval: 5_000,
      maxPingOut: 2,
    }).catch((error: unknown) => {
      throw isAway(error) ? new BusAwayError(error) : refusal(error);
    });
    const version = connection.info?.version ?? "0";
    if (isOlder(version)) {
      await connection.close();
      throw new Error(
        `nats-server ${version} is too old; this release needs ${oldestServer.join(".")} or newer.`,
      );
    }
    return new Bus(connection, config.namespace);
  }

  /** Rings; returns at once and never throws. While the connection is away nothing is kept for later: memory would grow with each ring. */
  ring<Name extends RingName>(address: RingAddress<Name>, payload: RingPayload<Name>): void {
    if (!this.connected) return;
    try {
      this.#connection.publish(
        this.#subject(address),
        JSON.stringify({ type: address.ring, version: 1, payload }),
      );
    } catch {
      // Over the size limit or closing: the reader's poll finds the row all the same.
    }
  }

  /** Rings the sequencer for stores whose events wait for their numbers: once for all of them. */
  ringUnnumbered(storeIds: readonly string[]): void {
    if (storeIds.length === 0) return;
    const shards = [...new Set(storeIds.map((id) => shardOf(id, storeShards)))];
    this.ring({ ring: "unnumbered", to: [] }, { shards });
  }

  /**
   * Calls `listener` for each ring of an address (`*` in it means all). A ring that can't be read is dropped: the row is the
   * truth. `reads` is the part of the payload that the listener looks at, where that is less than all of it: the rest is
   * not checked, which costs more than anything else of a ring.
   */
  listen<Name extends RingName, Read = RingPayload<Name>>(
    address: RingAddress<Name>,
    listener: (payload: Read) => void,
    reads?: z.ZodType<Read>,
  ): RingListener {
    const schema: z.ZodType<unknown> = reads ?? rings[address.ring];
    const subscription: Subscription = this.#connection.subscribe(this.#subject(address), {
      callback: (error, message) => {
        if (error !== null) return;
        const parsed = schema.safeParse(payloadOf(message.string()));
        if (parsed.success) listener(parsed.data as Read);
      },
    });
    return { close: () => subscription.unsubscribe() };
  }

  /** Resolves when everything rung before has reached the server and listeners below were registered there. */
  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Whether the connection stands just now. */
  get connected(): boolean {
    return this.#standing && !this.#connection.isClosed();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect" || type === "close") this.#standing = false;
      if (type === "reconnect") this.#standing = true;
    }
  }

  /** Ends the connection; what was rung is handed over first. */
  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    const drained = this.#connection.drain().catch(() => this.#connection.close());
    const timer = setTimeout(() => void this.#connection.close(), 2_000);
    await drained;
    clearTimeout(timer);
  }

  #subject<Name extends RingName>(address: RingAddress<Name>): string {
    return `${this.#namespace}.${subjectBelow(address)}`;
  }
}

function subjectBelow<Name extends RingName>(address: RingAddress<Name>): string {
  const make: (...parameters: Parameters<SubjectOf[Name]>) => string = subjects[address.ring] as (
    ...parameters: Parameters<SubjectOf[Name]>
  ) => string;
  return make(...address.to);
}

function payloadOf(text: string): unknown {
  try {
    const envelope: unknown = JSON.parse(text);
    return typeof envelope === "object" && envelope !== null && "payload" in envelope
      ? envelope.payload
      : undefined;
  } catch {
    return undefined;
  }
}

function splitUrl(url: string): { server: string; user?: string; pass?: string; token?: string } {
  const parsed = new URL(url.includes("://") ? url : `nats://${url}`);
  const server = `${parsed.protocol}//${parsed.host}`;
  const [user, password] = [
    decodeURIComponent(parsed.username),
    decodeURIComponent(parsed.password),
  ];
  if (user === "") return { server };
  return password === "" ? { server, token: user } : { server, user, pass: password };
}

/** The network's failures; a wrong address or login is none. */
function isAway(error: unknown): boolean {
  return (
    error instanceof errors.ConnectionError ||
    error instanceof errors.TimeoutError ||
    (error instanceof Error && "syscall" in error)
  );
}

function refusal(error: unknown): unknown {
  return error instanceof errors.AuthorizationError
    ? new Error("NATS does not let us in. Check the name and the password in NATS_URL.", {
        cause: error,
      })
    : error;
}

function isOlder(version: string): boolean {
  const found = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of oldestServer.entries()) {
    const part = found[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}
