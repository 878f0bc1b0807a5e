// Housekeeping: what must happen now and then, by one process at a time: deadlines, old keys, coming partitions.
import type { Bus } from "@thikaa/bus";
import { overdueMediaFetches, settleMedia } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Assignments, Log, Worker } from "@thikaa/runtime";
import { mediaReasonOf } from "@thikaa/schema";
import { expire, idempotencyHours } from "@thikaa/sending";

export interface HousekeepingParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
}

const expireBatch = 500;
const inboundKeyDays = 7;
/** Longer than all tries of the backoff together. */
const mediaHours = 24;
const mediaBatch = 100;
const tidyEveryMs = 600_000;

/** Starts housekeeping; it works only while this process holds its key. */
export function startHousekeeping(parts: HousekeepingParts): { stop(): Promise<void> } {
  let tidyAt = 0;
  return startLoop({
    everyMs: 1_000,
    trouble: new Trouble(parts.log, "housekeeping failed"),
    work: async () => {
      if (!parts.worker.alive || parts.assignments.held.size === 0) return false;
      const { expired, eventsFor } = await expire(parts.database, expireBatch);
      parts.bus.ringUnnumbered(eventsFor);
      await giveUpMedia(parts.database);
      if (performance.now() >= tidyAt) {
        await tidy(parts.database);
        tidyAt = performance.now() + tidyEveryMs;
      }
      return expired >= expireBatch;
    },
  });
}

/** Files of connections that nobody has run for so long: their messages are told, by the loop that finishes items. */
async function giveUpMedia(database: Database): Promise<void> {
  const reason = mediaReasonOf("media_unreachable");
  for (const media of await overdueMediaFetches(database, mediaHours, mediaBatch))
    await settleMedia(database, media, { status: "failed", reason });
}

/** Drops what nobody can ask for any more, a little at a time, and makes the partitions of the months to come. */
async function tidy(database: Database): Promise<void> {
  await database.query({ text: "SELECT ensure_partitions(now())" });
  await database.query({
    text: `DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_keys WHERE created_at < now() - $1 * interval '1 hour' LIMIT 10000))`,
    values: [idempotencyHours],
  });
  await database.query({
    text: `DELETE FROM inbound_keys WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbound_keys WHERE created_at < now() - $1 * interval '1 day' LIMIT 10000))`,
    values: [inboundKeyDays],
  });
}
