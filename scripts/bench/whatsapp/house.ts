// The house with phones: gateway, WhatsApp app, inbox and webhooks as processes, the phones' own world and bare clients beside it.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { freePort } from "@thikaa/embedded";
import { AdminClient } from "@thikaa/sdk";
import { waitFor } from "@thikaa/testkit";
import { request } from "undici";
import { z } from "zod";
import { plainEnvironment } from "../../services/config.ts";
import { startServices } from "../../services/start.ts";
import type { Services } from "../../services/start.ts";
import { startServer } from "../house.ts";
import { Child } from "./child.ts";
import { inFlight } from "./in-flight.ts";
import { Inspector } from "./inspector.ts";

/** A connection with the phone that it is linked to. */
export interface LinkedPhone {
  readonly id: string;
  readonly phone: string;
}

const slug = "phones";
const pairingAtOnce = 4;
/** So long may it take until all are linked or open. */
const openDeadlineMs = 600_000;
/** Nothing holds a message back. */
const unhurried = { pace_min_ms: "0", pace_max_ms: "0", daily_first_contacts: "0" };
const place = z.object({ url: z.string(), socketUrl: z.string() });
const sinkCounts = z.object({ received: z.number() });

interface Outside {
  readonly standIn: Child;
  readonly standInUrl: string;
  readonly socketUrl: string;
  /** The webhook's sink. */
  readonly sink: string;
}

interface Inside {
  readonly folder: string;
  readonly services: Services;
  readonly database: Database;
  readonly inspectPort: number;
}

export class PhoneHouse {
  readonly services: Services;
  readonly standIn: Child;
  readonly #outside: Outside;
  readonly #inside: Inside;
  readonly #children: readonly ChildProcess[];
  readonly #admin: AdminClient;
  #apiKey = "";

  private constructor(outside: Outside, inside: Inside, children: readonly ChildProcess[]) {
    this.services = inside.services;
    this.standIn = outside.standIn;
    this.#outside = outside;
    this.#inside = inside;
    this.#children = children;
    this.#admin = new AdminClient({
      baseUrl: inside.services.of("console")[0]?.url ?? "",
      token: inside.services.secrets.adminToken,
    });
  }

  /** Starts everything, with one store that has no connection yet. */
  static async open(): Promise<PhoneHouse> {
    const children: ChildProcess[] = [];
    const standIn = new Child("stand-in.ts");
    const { url: standInUrl, socketUrl } = await standIn.ask({ ask: "where" }, place);
    const sink = await startServer(children, "outside.ts");
    const outside = { standIn, standInUrl, socketUrl, sink };
    const house = new PhoneHouse(outside, await startInside(standInUrl), children);
    await house.#makeStore();
    return house;
  }

  /** Bare clients, none of them open, in a new process. */
  startBare(): Child {
    return new Child("bare.ts", [this.#outside.socketUrl, this.#outside.standInUrl]);
  }

  /** The process of the WhatsApp app. */
  get pid(): number {
    return this.services.of("whatsapp")[0]?.pid ?? 0;
  }

  /** Opens that process to be looked into. */
  inspect(): Promise<Inspector> {
    return Inspector.attach(this.pid, this.#inside.inspectPort);
  }

  /** Makes a connection for each phone, and has the phone scan its code. */
  async link(phones: readonly string[]): Promise<LinkedPhone[]> {
    const linked: LinkedPhone[] = [];
    await inFlight(phones.length, pairingAtOnce, async (n) => {
      const phone = phones[n] ?? "";
      linked.push({ id: await this.#linkOne(phone), phone });
    });
    return linked;
  }

  /** Starts the WhatsApp app anew. */
  async restart(): Promise<void> {
    await this.services.scale("whatsapp", 0);
    await this.services.scale("whatsapp", 1);
  }

  /** Switches connections on or off; resolves when they are. */
  async switch(connections: readonly LinkedPhone[], desired: "on" | "off"): Promise<void> {
    const state = desired === "on" ? "connected" : "off";
    const wanted = (await this.#count(state)) + connections.length;
    await inFlight(connections.length, 8, (n) =>
      this.#admin.request("PATCH", `connections/${connections[n]?.id ?? ""}`, { desired }),
    );
    await waitFor(async () => (await this.#count(state)) >= wanted, {
      what: `${wanted} connections to be ${state}`,
      deadlineMs: openDeadlineMs,
    });
  }

  /** Accepts a text; rejects when it is not. */
  async send(connection: LinkedPhone, to: string, text: string): Promise<void> {
    const [gateway] = this.services.of("gateway");
    // A kept connection may be closed by the gateway just when it is used again.
    const answer = await request(`${gateway?.url}/${slug}/api/messaging/?action=send`, {
      method: "POST",
      headers: { Authorization: `Bearer ${this.#apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ channel: "wd", to, message: text, connection_id: connection.id }),
      reset: true,
    });
    if (answer.statusCode !== 200)
      throw new Error(`A send was answered by ${answer.statusCode}: ${await answer.body.text()}`);
    await answer.body.dump();
  }

  /** Webhooks that the sink has taken so far. */
  async webhooks(): Promise<number> {
    const answer = await fetch(`${this.#outside.sink}/counts`);
    return sinkCounts.parse(await answer.json()).received;
  }

  async close(): Promise<void> {
    const { database, services, folder } = this.#inside;
    await database.close();
    await services.stop();
    await this.standIn.stop();
    for (const child of this.#children) child.kill();
    await rm(folder, { recursive: true, force: true });
  }

  async #makeStore(): Promise<void> {
    const store = { slug, plan: "professional", credits: 10_000_000 };
    await this.#admin.request("POST", "stores", store);
    const key = await this.#admin.request<{ api_key: string }>("POST", `stores/${slug}/keys`, {
      name: "bench",
      channels: ["wd"],
      webhook: `${this.#outside.sink}/sink`,
    });
    this.#apiKey = key.api_key;
    const text = "UPDATE instances SET rate_limit = 1000000000";
    await this.#inside.database.query({ text });
  }

  async #linkOne(phone: string): Promise<string> {
    const path = `stores/${slug}/connections`;
    const { id } = await this.#admin.request<{ id: string }>("POST", path, {
      channel: "wd",
      name: phone,
      credentials: unhurried,
    });
    await this.#admin.pair(id);
    const scanned = new Set<string>();
    const signal = AbortSignal.timeout(openDeadlineMs);
    for await (const { state, qr } of this.#admin.watchPairing(id, { signal })) {
      if (state === "connected") break;
      if (qr === undefined || scanned.has(qr)) continue;
      scanned.add(qr);
      await this.standIn.ask({ ask: "scan", phone, qr }, z.unknown());
    }
    return id;
  }

  async #count(state: string): Promise<number> {
    const { rows } = await this.#inside.database.query<{ count: number }>({
      text: "SELECT count(*)::int AS count FROM connections WHERE state = $1",
      values: [state],
    });
    return rows[0]?.count ?? 0;
  }
}

async function startInside(standInUrl: string): Promise<Inside> {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-bench-"));
  const inspectPort = await freePort();
  const services = await startServices(
    {
      counts: { gateways: 1, channels: 0, whatsapp: 1, inboxes: 1, webhooks: 1 },
      dataDir: folder,
      host: "127.0.0.1",
      sandbox: false,
      databaseUrl: null,
      natsUrl: null,
      masterKey: null,
      adminToken: null,
      environment: {
        ...plainEnvironment(),
        LOG_LEVEL: "error",
        THIKAA_NAMESPACE: "bench",
        PUBLIC_URL: "https://bench.example",
        WHATSAPP_WEB_URL: standInUrl,
      },
      environmentOf: ({ name, environment }) =>
        Promise.resolve(
          name.startsWith("whatsapp-")
            ? { ...environment, NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectPort}` }
            : environment,
        ),
    },
    { say: () => {}, output: complain },
  );
  const { databaseUrl } = services.servers;
  const database = new Database({ url: databaseUrl, applicationName: "bench", maxConnections: 2 });
  return { folder, services, database, inspectPort };
}

/** What an app says goes on, but for what Node says when the inspector comes and goes. */
function complain(name: string, text: string): void {
  for (const line of text.split("\n"))
    if (line !== "" && !/^(Debugger |For help, see)/.test(line))
      process.stderr.write(`${name}: ${line}\n`);
}
