// The foundation of an app: PostgreSQL with a schema and room for it, NATS, and the process's lease; measured, and heard of when they are away.
import { Bus } from "@thikaa/bus";
import { checkRoom, checkSchema, Database } from "@thikaa/db";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { foundationMetrics } from "./own-metrics.ts";
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
}

export interface Foundation {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  /** Gives the lease back and closes everything. Assignments must have been released before. */
  stop(): Promise<void>;
}

const askEveryMs = 1_000;
const answerWithinMs = 2_000;

/**
 * Opens everything. Rejects in plain words, with nothing left open, when PostgreSQL or NATS can't be reached, when the schema
 * and this release don't know each other, or when PostgreSQL has no room for the pool; too little room is a warning.
 */
export async function openFoundation(config: FoundationConfig): Promise<Foundation> {
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
    const watch = watchBus(bus, log);
    opened.push(watch);
    const worker = await Worker.start({ database, role: name, log, metrics });
    opened.push(worker);
    foundationMetrics(metrics, database, () => watch.answers());
    return { database, bus, worker, stop: () => stopAll(opened.toReversed()) };
  } catch (error) {
    await stopAll(opened.toReversed()).catch(() => {});
    throw error;
  }
}

interface BusWatch {
  /** Whether NATS answered the last time it was asked. */
  answers(): boolean;
  stop(): Promise<void>;
}

/**
 * Says when NATS goes and comes: rings are lost in silence by design. It is asked, because a connection that is being made
 * anew looks like one that stands.
 */
function watchBus(bus: Bus, log: Log): BusWatch {
  const trouble = new Trouble(
    log,
    "NATS can't be reached: everything goes on, up to a second later",
  );
  let askedAt: number | null = null;
  let answers = true;
  const heard = (error: unknown) => {
    answers = error === null;
    if (error === null) trouble.passed();
    else trouble.failed(error);
  };
  const ask = async () => {
    askedAt = performance.now();
    await bus.flush().then(() => heard(null), heard);
    askedAt = null;
  };
  const timer = setInterval(() => {
    if (askedAt === null) void ask();
    else if (performance.now() - askedAt >= answerWithinMs) heard(new Error("There is no answer."));
  }, askEveryMs);
  timer.unref();
  return { answers: () => answers, stop: async () => clearInterval(timer) };
}
