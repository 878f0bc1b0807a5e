// The foundation of an app: PostgreSQL with a schema and room for it, NATS, and the process's lease; measured, and heard of when they are away.
import { Bus } from "@thikaa/bus";
import { checkRoom, checkSchema, Database } from "@thikaa/db";
import type { HttpAddress } from "./http.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { foundationMetrics } from "./own-metrics.ts";
import { startPatiently } from "./patient-start.ts";
import { stopAll } from "./service.ts";
import { Trouble } from "./trouble.ts";
import { Worker } from "./worker.ts";

export interface FoundationConfig {
  /** Of the app; the role of its worker, and its name in PostgreSQL and NATS. */
  readonly name: string;
  readonly databaseUrl: string;
  /** The most connections to PostgreSQL. */
  readonly poolSize: number;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Where the app will listen: while the start waits, its health is answered there. */
  readonly http?: HttpAddress | null | undefined;
  /** Ends a start that still waits. `runMain` gives it. */
  readonly signal?: AbortSignal | undefined;
}

export interface Foundation {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  /** Gives the lease back and closes everything. Assignments must have been released before. */
  stop(): Promise<void>;
}

const lookEveryMs = 1_000;

/**
 * Opens everything, and waits while PostgreSQL or NATS can't be reached. Rejects in plain words, with nothing left open,
 * when one of them does not let us in, when the schema and this release don't know each other, or when PostgreSQL has no
 * room for the pool; too little room is a warning.
 */
export function openFoundation(config: FoundationConfig): Promise<Foundation> {
  return startPatiently(() => openOnce(config), config);
}

async function openOnce(config: FoundationConfig): Promise<Foundation> {
  const { name, log, metrics } = config;
  const opened: { stop(): Promise<void> }[] = [];
  try {
    const database = new Database({
      url: config.databaseUrl,
      applicationName: `thikaa-${name}`,
      maxConnections: config.poolSize,
    });
    opened.push({ stop: () => database.close() });
    await checkRoom(database, (warning) => log.warn(warning));
    await checkSchema(database);
    const bus = await Bus.connect({ url: config.natsUrl, namespace: config.namespace, name });
    opened.push({ stop: () => bus.close() });
    opened.push(watchBus(bus, log));
    const worker = await Worker.start({ database, role: name, log, metrics });
    opened.push(worker);
    foundationMetrics(metrics, database, bus);
    return { database, bus, worker, stop: () => stopAll(opened.toReversed()) };
  } catch (error) {
    await stopAll(opened.toReversed()).catch(() => {});
    throw inPlainWords(error);
  }
}

/** What an operator can mend, said so; anything else as it is. */
function inPlainWords(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const told = refusals.get(String(error.code));
  return told === undefined
    ? error
    : new Error(`PostgreSQL says: ${error.message}. ${told}`, { cause: error });
}

const checkLogin = "Check the name and the password in DATABASE_URL.";
const refusals = new Map([
  ["28P01", checkLogin],
  ["28000", checkLogin],
  ["3D000", "Make it, or name another one in DATABASE_URL; then migrate it."],
]);

/** Says when NATS goes and comes: rings are lost in silence by design. */
function watchBus(bus: Bus, log: Log): { stop(): Promise<void> } {
  const trouble = new Trouble(
    log,
    "NATS can't be reached: everything goes on, up to a second later",
  );
  const timer = setInterval(() => {
    if (bus.connected) trouble.passed();
    else trouble.failed(new Error("The connection is down."));
  }, lookEveryMs);
  timer.unref();
  return { stop: async () => clearInterval(timer) };
}
