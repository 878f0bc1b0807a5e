// The deliverer: claims what is due in its shards for endpoints that may have more at once, and sends it.
import { claimDeliveries, endDeliveries, recoverDeliveries, surveyDeliveries } from "@thikaa/db";
import type { ClaimedDelivery, Database, EndpointHealth, OwnedShard } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Held, Log, Loop, Worker } from "@thikaa/runtime";
import { attemptDelivery } from "./attempt.ts";
import type { AttemptTools } from "./attempt.ts";
import { Lanes } from "./lanes.ts";
import type { WebhookMetrics } from "./metrics.ts";
import { Settler } from "./settler.ts";
import { giveBack } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** How long attempts under way may go on when a shard is given back, and how long writing their outcomes may take then. */
const finishMs = 5_000;
const settleMs = 2_000;
const recoverEveryMs = 10_000;
const surveyEveryMs = 1_000;
const endedAtOnce = 500;
/** Attempts that end within so long are followed by one claim. */
const gatherMs = 2;

export interface DelivererConfig extends AttemptTools {
  readonly database: Database;
  readonly worker: Worker;
  readonly log: Log;
  readonly metrics: WebhookMetrics;
}

interface Shard extends OwnedShard {
  readonly abort: AbortController;
  readonly underWay: Set<Promise<void>>;
}

export class Deliverer {
  readonly #config: DelivererConfig;
  readonly #settler: Settler;
  readonly #loop: Loop;
  readonly #shards = new Map<number, Shard>();
  readonly #lanes = new Lanes();
  /** Deliveries claimed and not settled yet. */
  readonly #open = new Set<string>();
  #recoveredAt = performance.now();
  #surveyedAt = Number.NEGATIVE_INFINITY;
  #round: Promise<unknown> = Promise.resolve();

  private constructor(config: DelivererConfig) {
    this.#config = config;
    this.#settler = new Settler({
      database: config.database,
      worker: config.worker.id,
      log: config.log,
    });
    this.#loop = startLoop({
      work: () => {
        const round = this.#work();
        this.#round = round.catch(() => {});
        return round;
      },
      everyMs: 1_000,
      gatherMs,
      trouble: new Trouble(config.log, "deliveries could not be claimed"),
    });
  }

  static start(config: DelivererConfig): Deliverer {
    return new Deliverer(config);
  }

  /** Whether this worker owns a shard now. */
  owns(shard: number): boolean {
    return this.#shards.has(shard);
  }

  /** An endpoint has a new delivery. */
  due(endpoint: { shard: number; endpointId: string }): void {
    this.#lanes.due(endpoint);
    this.#loop.ring();
  }

  /** Begins work on a shard: what its former owner left open is due again. Resolves to what ends it. */
  async take(held: Held): Promise<() => Promise<void>> {
    const shard: Shard = {
      shard: Number(held.key),
      epoch: held.epoch,
      abort: new AbortController(),
      underWay: new Set(),
    };
    await this.#recover([shard]);
    this.#shards.set(shard.shard, shard);
    this.#surveyedAt = Number.NEGATIVE_INFINITY;
    this.#loop.ring();
    return () => this.#end(shard);
  }

  /** Ends; every shard must have been ended before. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#settler.stop();
  }

  async #end(shard: Shard): Promise<void> {
    if (this.#shards.get(shard.shard) === shard) {
      this.#shards.delete(shard.shard);
      this.#lanes.forget(shard.shard);
    }
    // A lost lease may be another worker's already: then nothing may go on.
    if (!this.#config.worker.alive) shard.abort.abort();
    await this.#round;
    await within(Promise.all(shard.underWay), finishMs);
    shard.abort.abort();
    await within(Promise.all(shard.underWay), settleMs);
  }

  async #work(): Promise<boolean> {
    const { database, worker } = this.#config;
    if (!worker.alive) return false;
    const now = performance.now();
    if (now - this.#recoveredAt > recoverEveryMs) {
      this.#recoveredAt = now;
      await this.#recover([...this.#shards.values()]);
    }
    if (now - this.#surveyedAt >= surveyEveryMs) {
      this.#surveyedAt = now;
      await this.#survey();
    }
    const lanes = this.#lanes.pick(this.#shards, performance.now());
    const claimed = await claimDeliveries(database, { worker: worker.id, lanes }).catch(
      (error: unknown) => {
        for (const lane of lanes) this.#lanes.claimed(lane, lane.room);
        throw error;
      },
    );
    const found = Map.groupBy(claimed, ({ endpointId }) => endpointId);
    for (const lane of lanes) this.#lanes.claimed(lane, found.get(lane.endpointId)?.length ?? 0);
    for (const delivery of claimed) this.#begin(delivery);
    return claimed.length > 0;
  }

  /** Finds what no news came of: retries, what was freed, what another process wrote. Whatever waits to a disabled endpoint is ended. */
  async #survey(): Promise<void> {
    const { database } = this.#config;
    const found = await surveyDeliveries(database, [...this.#shards.values()]);
    this.#lanes.surveyed(found, performance.now());
    for (const { shard, endpointId, standing } of found) {
      if (standing === "disabled")
        await endDeliveries(database, { shard, endpointId, limit: endedAtOnce });
    }
  }

  #recover(shards: readonly Shard[]): Promise<void> {
    const { database, worker } = this.#config;
    return recoverDeliveries(database, { worker: worker.id, shards, underWay: [...this.#open] });
  }

  #begin(delivery: ClaimedDelivery): void {
    const shard = this.#shards.get(delivery.shard);
    if (shard === undefined || shard.epoch !== delivery.epoch)
      return void this.#settler.settle(giveBack(delivery));
    const work = this.#deliver(delivery, shard.abort.signal);
    shard.underWay.add(work);
    void work.then(() => shard.underWay.delete(work));
  }

  async #deliver(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const config = this.#config;
    const lanes = this.#lanes;
    this.#open.add(delivery.deliveryId);
    const place = lanes.enter(delivery);
    config.metrics.underWay(lanes.underWay);
    const verdict = await attemptDelivery(config, delivery, signal);
    const health = lanes.leave(place, verdict.finding);
    config.metrics.underWay(lanes.underWay);
    this.#loop.ring();
    await this.#settler.settle(verdict, health);
    this.#open.delete(delivery.deliveryId);
    config.metrics.attempted(verdict, performance.now() - place.begunAt);
    this.#tell(verdict, health);
  }

  #tell(
    { claim, outcome, httpStatus, verdict, error }: Verdict,
    health: EndpointHealth | null,
  ): void {
    const { log } = this.#config;
    const about = { store_id: claim.storeId, endpoint_id: claim.endpointId };
    log[outcome === "internal_error" ? "error" : "debug"](
      {
        ...about,
        delivery_id: claim.deliveryId,
        attempt: claim.attempt,
        outcome,
        http_status: httpStatus,
        verdict,
        reason: error ?? undefined,
      },
      "webhook attempt",
    );
    if (health !== null && health.disable !== null)
      log.warn({ ...about, reason: health.disable }, "a webhook was disabled");
  }
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, milliseconds);
  await Promise.race([work, deadline.promise]);
  clearTimeout(timer);
}
