// The deliverer: claims what is due in its shards and sends it, so many at once in all and of each endpoint.
import { claimDeliveries, recoverDeliveries } from "@thikaa/db";
import type { ClaimedDelivery, Database, OwnedShard } from "@thikaa/db";
import { inSpan, startLoop, Trouble } from "@thikaa/runtime";
import type { Held, Log, Loop, SpanConfig, Worker } from "@thikaa/runtime";
import { attemptDelivery } from "./attempt.ts";
import type { AttemptTools } from "./attempt.ts";
import type { WebhookMetrics } from "./metrics.ts";
import { Settler } from "./settler.ts";
import { giveBack } from "./verdict.ts";

/** One endpoint may hold so many connections, and this worker so many in all. */
const perEndpoint = 5;
const inAll = 256;
/** How long attempts under way may go on when a shard is given back, and how long writing their outcomes may take then. */
const finishMs = 5_000;
const settleMs = 2_000;
const recoverEveryMs = 10_000;

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
  readonly #busy = new Map<string, number>();
  #underWay = 0;
  #recoveredAt = performance.now();
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
        const round = this.#claim();
        this.#round = round.catch(() => {});
        return round;
      },
      everyMs: 1_000,
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

  /** Something may be due. */
  ring(): void {
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
    await recoverDeliveries(this.#config.database, [shard]);
    this.#shards.set(shard.shard, shard);
    this.ring();
    return () => this.#end(shard);
  }

  /** Ends; every shard must have been ended before. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#settler.stop();
  }

  async #end(shard: Shard): Promise<void> {
    if (this.#shards.get(shard.shard) === shard) this.#shards.delete(shard.shard);
    // A lost lease may be another worker's already: then nothing may go on.
    if (!this.#config.worker.alive) shard.abort.abort();
    await this.#round;
    await within(Promise.all(shard.underWay), finishMs);
    shard.abort.abort();
    await within(Promise.all(shard.underWay), settleMs);
  }

  async #claim(): Promise<boolean> {
    const { database, worker } = this.#config;
    if (!worker.alive) return false;
    const shards = [...this.#shards.values()];
    if (performance.now() - this.#recoveredAt > recoverEveryMs) {
      this.#recoveredAt = performance.now();
      await recoverDeliveries(database, shards);
    }
    const claim = {
      worker: worker.id,
      shards,
      limit: inAll - this.#underWay,
      perEndpoint,
      busy: this.#busy,
    };
    const claimed = await claimDeliveries(database, claim);
    for (const delivery of claimed) this.#begin(delivery);
    return claimed.length > 0;
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
    this.#count(delivery.endpointId, 1);
    const begunAt = performance.now();
    const settled = await inSpan("webhook attempt", spanOf(delivery), async (span) => {
      const judged = await attemptDelivery(this.#config, delivery, signal);
      span.setAttribute("thikaa.outcome", judged.outcome);
      return judged;
    });
    this.#count(delivery.endpointId, -1);
    this.ring();
    await this.#settler.settle(settled);
    this.#config.metrics.attempted(settled, performance.now() - begunAt);
    const { outcome, httpStatus, verdict } = settled;
    const about = {
      store_id: delivery.storeId,
      endpoint_id: delivery.endpointId,
      delivery_id: delivery.deliveryId,
      attempt: delivery.attempt,
    };
    this.#config.log[outcome === "internal_error" ? "error" : "debug"](
      { ...about, outcome, http_status: httpStatus, verdict, reason: settled.error ?? undefined },
      "webhook attempt",
    );
  }

  #count(endpointId: string, change: 1 | -1): void {
    this.#underWay += change;
    this.#config.metrics.underWay(this.#underWay);
    const count = (this.#busy.get(endpointId) ?? 0) + change;
    if (count > 0) this.#busy.set(endpointId, count);
    else this.#busy.delete(endpointId);
  }
}

function spanOf({ event, deliveryId, endpointId, attempt }: ClaimedDelivery): SpanConfig {
  return {
    messageId: messageOf(event?.data),
    kind: "client",
    attributes: {
      "thikaa.delivery.id": deliveryId,
      "thikaa.endpoint.id": endpointId,
      "thikaa.event": event?.type ?? "expired",
      "thikaa.attempt": attempt,
    },
  };
}

/** The message that an event is about, where it is about one. */
function messageOf(data: unknown): string | null {
  const id =
    typeof data === "object" && data !== null && "message_id" in data ? data.message_id : null;
  return typeof id === "string" ? id : null;
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, milliseconds);
  await Promise.race([work, deadline.promise]);
  clearTimeout(timer);
}
