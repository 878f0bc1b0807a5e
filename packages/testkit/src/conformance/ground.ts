// The ground of rules: a database, a stand-in, connections in it, and the app that is started, cut off and started again.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Bus } from "@thikaa/bus";
import { Database, removeConnection } from "@thikaa/db";
import { newId, outboundContent, toWireId } from "@thikaa/schema";
import type { ConnectionReason, ConnectionState, Converted } from "@thikaa/schema";
import { createTestDatabase } from "../database.ts";
import { startFaultProxy } from "../fault-proxy.ts";
import type { FaultProxy } from "../fault-proxy.ts";
import { testNamespace } from "../namespace.ts";
import { natsUrl } from "../provided.ts";
import { waitFor } from "../waiting.ts";
import type { ConnectorHarness, ProviderAccount, ProviderHarness, RunningApp } from "./harness.ts";

/** A connection of a store of its own. */
export interface GroundConnection {
  readonly id: string;
  readonly storeId: string;
  readonly webhookSecret: string;
}

export interface StoredItem {
  readonly raw: Buffer;
  readonly converted: Converted;
}

export interface ConnectionSaid {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
}

/** How long what must happen may take; for a busy machine. */
const deadlineMs = 12_000;

export interface GroundOptions {
  readonly harness: ConnectorHarness;
  /** Whether the provider can reach us, so that it posts and is not polled. */
  readonly posted: boolean;
  /** A database for one ground after the other; one of its own otherwise. */
  readonly databaseUrl?: string | undefined;
}

/** What a ground stands on. */
interface Base extends GroundOptions {
  readonly databaseUrl: string;
  readonly provider: ProviderHarness;
  readonly proxy: FaultProxy;
  readonly mediaFolder: string;
  readonly namespace: string;
  readonly bus: Bus;
}

/** Everything that rules use, one after the other, each with accounts and connections of its own; `close` ends it. */
export class Ground {
  readonly harness: ConnectorHarness;
  readonly provider: ProviderHarness;
  readonly database: Database;
  readonly logLines: string[] = [];
  readonly #base: Base;
  readonly #masterKey: string;
  readonly #door = createServer((request, response) => {
    const handle = this.#app?.handle;
    // As the house's own server answers while no app is there.
    if (handle === undefined) response.writeHead(503).end();
    else handle(request, response);
  });
  readonly #closing: (() => Promise<unknown>)[] = [];
  #app: RunningApp | null = null;

  private constructor(base: Base) {
    this.harness = base.harness;
    this.provider = base.provider;
    this.#base = base;
    this.#masterKey = base.harness.vault.newMasterKey();
    this.database = new Database({ url: base.databaseUrl, applicationName: "conformance" });
  }

  static async open(options: GroundOptions): Promise<Ground> {
    const created =
      options.databaseUrl === undefined ? await createTestDatabase({ name: "conformance" }) : null;
    const databaseUrl = options.databaseUrl ?? created?.url ?? "";
    const namespace = testNamespace();
    const base: Base = {
      ...options,
      databaseUrl,
      namespace,
      proxy: await startFaultProxy({ target: databaseUrl }),
      mediaFolder: await mkdtemp(join(tmpdir(), "thikaa-media-")),
      provider: await options.harness.openProvider(),
      bus: await Bus.connect({ url: natsUrl(), namespace, name: "conformance" }),
    };
    const ground = new Ground(base);
    ground.#closing.push(
      () => rm(base.mediaFolder, { recursive: true, force: true }),
      () => created?.close() ?? Promise.resolve(),
      () => base.proxy.close(),
      () => base.bus.close(),
      () => ground.database.close(),
      () => base.provider.close(),
      () => ground.#removeConnections(),
      () => ground.#stop(),
    );
    return ground;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }

  /** Starts the app, unless it runs. */
  async start(): Promise<void> {
    const { harness, provider, posted, namespace, mediaFolder } = this.#base;
    this.#app ??= await harness.start(
      {
        environment: "development",
        databaseUrl: this.#proxied(),
        natsUrl: natsUrl(),
        namespace,
        masterKey: this.#masterKey,
        mediaStoreUrl: pathToFileURL(mediaFolder).href,
        webhookBase: posted ? await this.#openDoor() : null,
        baseUrls: { live: provider.url, sandbox: null },
        http: null,
        logLevel: "debug",
      },
      (line) => void this.logLines.push(line),
    );
  }

  async #stop(): Promise<void> {
    const app = this.#app;
    this.#app = null;
    await app?.stop();
  }

  /** The next ground on this database has its own. */
  async #removeConnections(): Promise<void> {
    await this.database.query({ text: "UPDATE connections SET desired = 'removed'" });
  }

  /** The app ends without its database, as a process that was killed, and its lease with it. */
  async crash(): Promise<void> {
    await this.#base.proxy.set({ kind: "reset" });
    await this.database.query({
      text: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'conformance'",
    });
    await this.#stop();
    await this.database.query({
      text: "UPDATE workers SET expires_at = now() - interval '1 second'",
    });
    await this.#base.proxy.set({ kind: "pass" });
  }

  /** A store of its own with one connection to this account. */
  async connect(credentials: ProviderAccount["credentials"]): Promise<GroundConnection> {
    const { vault, channel } = this.harness;
    const { Vault, places } = vault;
    const [storeId, id, webhookSecret] = [newId(), newId(), vault.newToken()];
    const sealer = new Vault(this.#masterKey);
    await this.database.query({
      text: "INSERT INTO stores (id, slug, name, plan, environment) VALUES ($1, $2, 'A store', 'professional', 'live')",
      values: [storeId, `s-${storeId.slice(-12)}`],
    });
    await this.database.query({
      text: `INSERT INTO connections (store_id, id, channel, name, is_default, environment, credentials_sealed, webhook_secret_sealed)
             VALUES ($1, $2, $3, 'Shop', true, 'live', $4, $5)`,
      values: [
        storeId,
        id,
        channel,
        sealer.seal(JSON.stringify(credentials), places.connectionCredentials(id)),
        sealer.seal(webhookSecret, places.connectionWebhookSecret(id)),
      ],
    });
    this.#ringConnection({ id, storeId });
    return { id, storeId, webhookSecret };
  }

  /** Switches it on or off, or removes it, as the console does. */
  async want(connection: GroundConnection, desired: "on" | "off" | "removed"): Promise<void> {
    const { id, storeId } = connection;
    const { channel } = this.harness;
    if (desired === "removed")
      await removeConnection(this.database, { id, store_id: storeId, channel });
    else
      await this.database.query({
        text: "UPDATE connections SET desired = $2, revision = revision + 1 WHERE id = $1",
        values: [id, desired],
      });
    this.#ringConnection(connection);
  }

  #ringConnection({ id, storeId }: Pick<GroundConnection, "id" | "storeId">): void {
    const { channel } = this.harness;
    this.#base.bus.ring(
      { ring: "connection", to: [id] },
      { store_id: storeId, connection_id: id, channel, state: "connecting", reason: null },
    );
  }

  /** An account, its connection, and the app that has opened it. */
  async connected(): Promise<{ account: ProviderAccount; connection: GroundConnection }> {
    await this.start();
    const account = this.provider.addAccount();
    const connection = await this.connect(account.credentials);
    await this.untilState(connection, "connected");
    return { account, connection };
  }

  /** Puts a text into the queue, as accepted ones stand there; gives the message's id. */
  async queue(connection: GroundConnection, to: string, text: string): Promise<string> {
    const { channel } = this.harness;
    const id = newId();
    const content = { text, media: null };
    await this.database.transaction(async (transaction) => {
      await transaction.query({
        text: `INSERT INTO messages (store_id, id, direction, origin, connection_id, channel, address, type, content, status, deadline_at)
               VALUES ($1, $2, 'out', 'api', $3, $4, $5, 'text', $6, 'queued', now() + interval '1 day')`,
        values: [connection.storeId, id, connection.id, channel, to, content],
      });
      await transaction.query({
        text: "INSERT INTO send_queue (store_id, message_id, connection_id, address, deadline_at) VALUES ($1, $2, $3, $4, now() + interval '1 day')",
        values: [connection.storeId, id, connection.id, to],
      });
    });
    this.#base.bus.ring(
      { ring: "out", to: [channel, connection.id] },
      {
        store_id: connection.storeId,
        connection_id: connection.id,
        message_id: id,
        channel,
        to,
        content: outboundContent.parse(content),
      },
    );
    return id;
  }

  /** What came in on a connection, oldest first. */
  async items(connection: GroundConnection): Promise<StoredItem[]> {
    const { rows } = await this.database.query<StoredItem & Record<string, unknown>>({
      text: "SELECT raw, converted FROM inbound_items WHERE connection_id = $1 ORDER BY id",
      values: [connection.id],
    });
    return rows;
  }

  /** The texts of customers' messages that came in, oldest first. */
  async texts(connection: GroundConnection): Promise<string[]> {
    const items = await this.items(connection);
    return items.flatMap(({ converted }) =>
      converted.kind === "message" && converted.text !== null ? [converted.text] : [],
    );
  }

  /** What was kept whole of what came in by a connection's door, since it belongs to nobody. */
  async unrouted(connection: GroundConnection): Promise<string[]> {
    const { rows } = await this.database.query<{ raw: Buffer }>({
      text: "SELECT raw FROM inbound_unrouted WHERE connection_id = $1 ORDER BY id",
      values: [connection.id],
    });
    return rows.map(({ raw }) => raw.toString("utf8"));
  }

  /** Posts a body to the connection's webhook; gives the HTTP status. */
  async post(
    connection: GroundConnection,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<number> {
    const path = `hooks/${this.harness.channel}/${toWireId("connection", connection.id)}`;
    const answer = await fetch(`${await this.#openDoor()}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: body as Uint8Array<ArrayBuffer> | string,
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Brings a body in as the provider does. */
  async bring(
    to: { account: ProviderAccount; connection: GroundConnection },
    body: string,
  ): Promise<void> {
    const { account, connection } = to;
    if (account.inlet.kind === "push") return account.inlet.push(body);
    const headers = account.inlet.sign(body, connection.webhookSecret);
    const status = await this.post(connection, body, headers);
    if (status !== 200) throw new Error(`A well signed post was answered ${status}, not 200.`);
  }

  /** How a connection is, once it was opened or could not be. */
  async settledState({ id }: GroundConnection): Promise<ConnectionSaid> {
    return waitFor(
      async () => {
        const { rows } = await this.database.query<ConnectionSaid & Record<string, unknown>>({
          text: "SELECT state, reason FROM connections WHERE id = $1 AND state IN ('connected', 'attention')",
          values: [id],
        });
        return rows[0];
      },
      { what: "the connection to be opened or refused", deadlineMs },
    );
  }

  async untilState(connection: GroundConnection, state: string): Promise<void> {
    await this.until(`the connection to be '${state}'`, async () => {
      const { rows } = await this.database.query<{ state: string }>({
        text: "SELECT state FROM connections WHERE id = $1",
        values: [connection.id],
      });
      return rows[0]?.state === state;
    });
  }

  async untilStatus(messageId: string, status: string): Promise<void> {
    await this.until(`the message to be '${status}'`, async () => {
      const { rows } = await this.database.query<{ status: string }>({
        text: "SELECT status FROM messages WHERE id = $1",
        values: [messageId],
      });
      return rows[0]?.status === status;
    });
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await waitFor(condition, { what, deadlineMs });
  }

  #proxied(): string {
    const url = new URL(this.#base.databaseUrl);
    url.host = `${this.#base.proxy.host}:${this.#base.proxy.port}`;
    return url.href;
  }

  /** Where the provider posts to; the same as long as this ground lives. */
  async #openDoor(): Promise<string> {
    if (!this.#door.listening) {
      const listening = Promise.withResolvers<void>();
      this.#door.listen(0, "127.0.0.1", () => listening.resolve());
      await listening.promise;
      this.#closing.push(async () => {
        this.#door.close();
        this.#door.closeAllConnections();
      });
    }
    return `http://127.0.0.1:${(this.#door.address() as AddressInfo).port}`;
  }
}
