// Claims for all connections of a process: those that are asked for in one moment are one transaction.
import { isUnavailable } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import type { Worker } from "@thikaa/runtime";
import { Batcher, claim } from "@thikaa/sending";
import type { BegunAttempt, LaneClaim } from "@thikaa/sending";
import type { ChannelCode } from "@thikaa/schema";
import type { Connector } from "../connector.ts";
import { hostLimits } from "./host-config.ts";

export interface ClaimerParts {
  readonly database: Database;
  readonly worker: Worker;
  readonly connector: Pick<Connector, "plan" | "channels" | "capabilities">;
}

/** A claim's price is more that of its statements than of its messages: a little patience makes fewer of them. */
const gatherMs = 3;

/** What was begun; and when it failed for some of the lanes, why: it is unknown then what was begun in these. */
export interface Claimed {
  readonly begun: readonly BegunAttempt[];
  readonly failure?: { readonly error: unknown };
}

export class Claimer {
  readonly #parts: ClaimerParts;
  readonly #sameWhenRepeated: readonly ChannelCode[];
  readonly #batcher: Batcher<LaneClaim, Claimed>;

  constructor(parts: ClaimerParts) {
    const { channels, capabilities } = parts.connector;
    this.#parts = parts;
    this.#sameWhenRepeated = channels.filter(
      (channel) => capabilities[channel]?.sameWhenRepeated === true,
    );
    this.#batcher = new Batcher((claims) => this.#claimAll(claims), {
      limit: hostLimits.claimBatch,
      gatherMs,
    });
  }

  /** Claims in these lanes of one connection. Throws when it is unknown what was claimed in all of them. */
  claim(lanes: LaneClaim): Promise<Claimed> {
    return this.#batcher.add(lanes);
  }

  async #claimAll(claims: readonly LaneClaim[]): Promise<Claimed[]> {
    try {
      const own = Map.groupBy(await this.#begin(claims), ({ connectionId }) => connectionId);
      return claims.map(({ connectionId }) => ({ begun: own.get(connectionId) ?? [] }));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      return Promise.all(claims.map((lanes) => this.#laneByLane(lanes)));
    }
  }

  /** What PostgreSQL refuses of one lane holds up no other. */
  async #laneByLane(lanes: LaneClaim): Promise<Claimed> {
    const tried = await Promise.allSettled(
      lanes.addresses.map((address) => this.#begin([{ ...lanes, addresses: [address] }])),
    );
    const begun = tried.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    const refused = tried.find((result) => result.status === "rejected");
    return refused === undefined ? { begun } : { begun, failure: { error: refused.reason } };
  }

  #begin(claims: readonly LaneClaim[]): Promise<BegunAttempt[]> {
    const { database, worker, connector } = this.#parts;
    return claim(database, {
      worker: worker.id,
      plan: connector.plan,
      claims,
      sameWhenRepeated: this.#sameWhenRepeated,
    });
  }
}
