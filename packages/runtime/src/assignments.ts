// Assignments: keys (connections, shards) shared evenly among the living workers of a role, each with an epoch that grows at every take-over.
import type { Database } from "@thikaa/db";
import type { Log } from "./log.ts";
import { startLoop } from "./loop.ts";
import type { Loop } from "./loop.ts";
import type { Metrics } from "./metrics.ts";
import { assignmentMetrics } from "./own-metrics.ts";
import type { AssignmentMetrics } from "./own-metrics.ts";
import { Trouble } from "./trouble.ts";
import type { Worker } from "./worker.ts";

/** A key that this worker owns. Its signal aborts as soon as the key must be let go. */
export interface Held {
  readonly key: string;
  readonly epoch: number;
  readonly signal: AbortSignal;
}

export interface AssignmentsConfig {
  readonly database: Database;
  readonly worker: Worker;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  readonly kind: string;
  /** The keys that the workers of this role share, asked each second and at each nudge. */
  readonly keys: () => Promise<readonly string[]>;
  /** Begins work on a key; resolves to what ends it. The key is given back only after that end resolved. */
  readonly acquired: (held: Held) => Promise<() => Promise<void>>;
}

interface Holding extends Held {
  readonly abort: AbortController;
  /** Resolves to what ends the work, once it has begun. */
  begun: Promise<() => Promise<void>>;
}

interface TakenRow {
  readonly key: string;
  readonly epoch: number;
  readonly taken_over: boolean;
}

const roundMs = 1_000;

export class Assignments {
  readonly #config: AssignmentsConfig;
  readonly #held = new Map<string, Holding>();
  /** Keys whose work is ending, until they are given back. */
  readonly #ending = new Map<string, Promise<void>>();
  /** Keys whose row is known to exist. */
  readonly #known = new Set<string>();
  readonly #loop: Loop;
  readonly #measures: AssignmentMetrics;
  /** Rings when the next lease of another worker ends, if that is before the next round. */
  #leaseEnd: NodeJS.Timeout | undefined;
  #settled = false;

  private constructor(config: AssignmentsConfig) {
    this.#config = config;
    this.#measures = assignmentMetrics(config.metrics, config.kind, () => this.#held.size);
    config.worker.onLost(() => this.#dropAll());
    this.#loop = startLoop({
      work: () => this.#balance(),
      everyMs: roundMs,
      trouble: new Trouble(config.log, "assignments could not be balanced"),
    });
  }

  /** Begins to take and share keys. */
  static start(config: AssignmentsConfig): Assignments {
    return new Assignments(config);
  }

  /** The keys held now with their epochs. */
  get held(): ReadonlyMap<string, Held> {
    return this.#held;
  }

  /** Whether the first round is done: what could be taken has been. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Asks for a round soon: a key appeared or went. */
  nudge(): void {
    this.#loop.ring();
  }

  /** Lets a key go and gives it back; another worker (or this one) takes it again. For a connection that must start anew. */
  async release(key: string): Promise<void> {
    const holding = this.#held.get(key);
    if (holding !== undefined) await this.#giveBack([holding]);
    this.nudge();
  }

  /** Ends all work and gives every key back, each as soon as its work has ended: one that takes long holds up no other. */
  async stop(): Promise<void> {
    await Promise.all([this.#config.worker.leave(), this.#loop.stop()]);
    clearTimeout(this.#leaseEnd);
    await Promise.all([this.#giveBack([...this.#held.values()]), ...this.#ending.values()]);
  }

  async #balance(): Promise<boolean> {
    const { database, worker, kind } = this.#config;
    if (!worker.alive) return false;
    const keys = await this.#config.keys();
    const wanted = new Set(keys);
    await this.#dropLost();
    this.#letGo([...this.#held.values()].filter((holding) => !wanted.has(holding.key)));
    const { share, rows } = await this.#share(keys);
    const strays = rows > this.#inHand(wanted).length;
    this.#letGo([...this.#held.values()].slice(share));
    const room = share - this.#held.size;
    if (room > 0) {
      await this.#makeRows(keys);
      const taken = await this.#take(keys, room);
      // A round that stood still may end when the lease has: what is begun then nobody would end, and another one takes it over.
      // The rows stay this worker's; alive again, it takes them anew.
      if (!worker.alive) return false;
      for (const row of taken) this.#measures.taken(row.taken_over);
      await Promise.all(taken.map((row) => this.#begin(row)));
    }
    if (strays) await database.query({ ...giveStrays, values: [kind, worker.id, this.#inHand()] });
    this.#settled = true;
    return false;
  }

  /** At most `room` keys that are free. */
  #take(keys: readonly string[], room: number): Promise<TakenRow[]> {
    const { database, worker, kind } = this.#config;
    const inHand = new Set(this.#inHand());
    const wanted = keys.filter((key) => !inHand.has(key));
    return database.transaction(async (transaction) => {
      const found = await transaction.query<{ key: string }>({
        ...findFree,
        values: [kind, wanted, worker.id, room],
      });
      const free = found.rows.map(({ key }) => key);
      if (free.length === 0) return [];
      const { rows } = await transaction.query<TakenRow>({
        ...takeFree,
        values: [kind, free, worker.id],
      });
      return rows;
    });
  }

  /**
   * Drops what it holds in memory alone: whatever made the row another's or nobody's, work under an old epoch does nothing
   * any more, and nobody else would have the key.
   */
  async #dropLost(): Promise<void> {
    const { database, worker, kind, log } = this.#config;
    const holdings = [...this.#held.values()];
    if (holdings.length === 0) return;
    const { rows } = await database.query<{ key: string }>({
      ...findLost,
      values: [kind, worker.id, holdings.map(({ key }) => key), holdings.map(({ epoch }) => epoch)],
    });
    const lost = new Set(rows.map(({ key }) => key));
    for (const holding of holdings) {
      if (!lost.has(holding.key) || this.#held.get(holding.key) !== holding) continue;
      log.error({ kind, key: holding.key }, "a key that was held is not this worker's any more");
      this.#drop(holding);
    }
  }

  /** Ends work on a key that is or may be another's by now: no row is touched. Until it has ended the key is not begun anew. */
  #drop(holding: Holding): void {
    const { key } = holding;
    this.#held.delete(key);
    this.#ending.set(
      key,
      this.#end(holding).finally(() => this.#ending.delete(key)),
    );
  }

  /** The keys that this process works on or is ending; of these alone it knows that they are its own. */
  #inHand(wanted?: ReadonlySet<string>): string[] {
    const keys = [...this.#held.keys(), ...this.#ending.keys()];
    return wanted === undefined ? keys : keys.filter((key) => wanted.has(key));
  }

  /**
   * How many keys are this worker's part, and how many rows say that they are its own. All parts differ by one at most, and who
   * has more keeps the larger part.
   */
  async #share(keys: readonly string[]): Promise<{ share: number; rows: number }> {
    const { rows } = await this.#config.database.query<{
      id: string;
      held: number;
      lasts_ms: number;
    }>({
      ...countHeld,
      values: [this.#config.worker.role, this.#config.kind, keys],
    });
    this.#awaitLeaseEnd(Math.min(...rows.map((row) => row.lasts_ms)));
    const place = rows.findIndex((row) => row.id === this.#config.worker.id);
    const own = rows[place];
    if (own === undefined) return { share: 0, rows: 0 };
    const floor = Math.floor(keys.length / rows.length);
    return { share: place < keys.length % rows.length ? floor + 1 : floor, rows: own.held };
  }

  /** Whoever lives renews long before: a lease about to end is that of a dead worker, and its keys need not wait for a round. */
  #awaitLeaseEnd(lastsMs: number): void {
    clearTimeout(this.#leaseEnd);
    if (lastsMs < roundMs) this.#leaseEnd = setTimeout(() => this.nudge(), lastsMs + 1);
  }

  async #begin({ key, epoch }: { key: string; epoch: number }): Promise<void> {
    const abort = new AbortController();
    const held: Held = { key, epoch, signal: abort.signal };
    const holding: Holding = { ...held, abort, begun: this.#config.acquired(held) };
    this.#held.set(key, holding);
    try {
      await holding.begun;
    } catch (error) {
      this.#config.log.error(
        { error, kind: this.#config.kind, key },
        "work on an assignment could not begin",
      );
      await this.#giveBack([holding]);
    }
  }

  /** Gives keys back beside everything else: work that takes long to end must not keep this worker from taking others. */
  #letGo(holdings: readonly Holding[]): void {
    void this.#giveBack(holdings).catch((error: unknown) =>
      // They stay this worker's: a later round begins them anew if there is room, and else gives them back.
      this.#config.log.warn({ error, kind: this.#config.kind }, "keys could not be given back"),
    );
  }

  /** Resolves when all are given back, each as soon as its work has ended; what ends while others are written is written with the next ones. */
  async #giveBack(holdings: readonly Holding[]): Promise<void> {
    const ended: Holding[] = [];
    let written = Promise.resolve();
    const giving = async (holding: Holding) => {
      await this.#end(holding);
      ended.push(holding);
      written = written.then(() => this.#writeGivenBack(ended.splice(0)));
      await written.finally(() => this.#ending.delete(holding.key));
    };
    await Promise.all(
      holdings.map((holding) => {
        if (this.#held.get(holding.key) === holding) this.#held.delete(holding.key);
        const given = giving(holding);
        this.#ending.set(holding.key, given);
        return given;
      }),
    );
  }

  async #writeGivenBack(holdings: readonly Holding[]): Promise<void> {
    if (holdings.length === 0) return;
    const { database, kind, worker } = this.#config;
    await database.query({
      ...giveBack,
      values: [
        kind,
        holdings.map((holding) => holding.key),
        holdings.map((holding) => holding.epoch),
        worker.id,
      ],
    });
  }

  async #makeRows(keys: readonly string[]): Promise<void> {
    const unknown = keys.filter((key) => !this.#known.has(key));
    if (unknown.length === 0) return;
    await this.#config.database.query({ ...makeRows, values: [this.#config.kind, unknown] });
    for (const key of unknown) this.#known.add(key);
  }

  /** Ends the work on a key, also when it has not begun yet; work that could not begin has no end. */
  async #end(holding: Holding): Promise<void> {
    holding.abort.abort();
    const end = await holding.begun.catch(() => null);
    await end?.().catch((error: unknown) =>
      this.#config.log.warn({ error, key: holding.key }, "an assignment did not end cleanly"),
    );
  }

  /** The lease is gone: stop at once, without waiting for ends and without touching rows that may be another's. */
  #dropAll(): void {
    for (const holding of this.#held.values()) this.#drop(holding);
  }
}

const countHeld = {
  name: "assignments-count",
  text: `SELECT w.id, count(a.key)::int AS held, extract(epoch FROM w.expires_at - now())::float8 * 1000 AS lasts_ms FROM workers w
         LEFT JOIN assignments a ON a.worker = w.id AND a.kind = $2 AND a.key = ANY($3)
         WHERE w.role = $1 AND w.expires_at > now() AND NOT w.leaving GROUP BY w.id ORDER BY held DESC, w.id`,
};

const makeRows = {
  text: "INSERT INTO assignments (kind, key) SELECT $1, wanted FROM unnest($2::text[]) AS wanted ON CONFLICT DO NOTHING",
};

/** What no living worker holds, and, of keys that this worker does not work on, its own: lost with a lease, or never given back. */
const isFree = `(a.worker = $3 OR NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = a.worker AND w.expires_at > now()))`;

const findFree = {
  name: "assignments-find-free",
  text: `SELECT a.key FROM assignments a WHERE a.kind = $1 AND a.key = ANY($2) AND ${isFree} LIMIT $4 FOR UPDATE SKIP LOCKED`,
};

// A second statement, since the first one saw the workers as they were when it began: one of them may have renewed its lease
// since then and taken a key again before the first one had locked it. Now the key is locked, and who lives is seen anew.
const takeFree = {
  name: "assignments-take",
  text: `UPDATE assignments a SET worker = $3, epoch = a.epoch + 1 FROM assignments before
         WHERE a.kind = $1 AND a.key = ANY($2) AND ${isFree} AND before.kind = a.kind AND before.key = a.key
         RETURNING a.key, a.epoch, before.worker IS NOT NULL AS taken_over`,
};

/** Of what is held, what the table does not say. */
const findLost = {
  name: "assignments-find-lost",
  text: `SELECT held.key FROM unnest($3::text[], $4::bigint[]) AS held (key, epoch)
         LEFT JOIN assignments a ON a.kind = $1 AND a.key = held.key AND a.worker = $2 AND a.epoch = held.epoch WHERE a.key IS NULL`,
};

/** Rows that say a key is this worker's though it does not work on it: a give-back that failed, a lease that was lost. Without room for them nobody would have them. */
const giveStrays = {
  name: "assignments-give-strays",
  text: "UPDATE assignments SET worker = NULL WHERE kind = $1 AND worker = $2 AND key <> ALL($3)",
};

/** By epoch, so that giving back late never takes a key from who holds it since. */
const giveBack = {
  name: "assignments-give-back",
  text: `UPDATE assignments a SET worker = NULL FROM unnest($2::text[], $3::bigint[]) AS given (key, epoch)
         WHERE a.kind = $1 AND a.key = given.key AND a.epoch = given.epoch AND a.worker = $4`,
};
