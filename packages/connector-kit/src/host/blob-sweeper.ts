// Sweeping: bytes that a killed process left in the media store, and that no row will ever name, are deleted after a day.
import type { BlobStore } from "@thikaa/blobs";
import { condemnBlobs, settleBlobs } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Log, Loop } from "@thikaa/runtime";

export interface BlobSweeperParts {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly log: Log;
}

/** Far longer than bytes are fetched and their row is written. Who comes later still is refused, and fetches anew. */
const unsettledHours = 24;
const batch = 100;
const everyMs = 600_000;

/** Deletes some of what is left; resolves to how much. A crash in between is mended an hour later. */
export async function sweepBlobs({ database, blobs }: Omit<BlobSweeperParts, "log">) {
  const condemned = await condemnBlobs(database, { hours: unsettledHours, limit: batch });
  for (const { blobKey } of condemned) await blobs.delete(blobKey);
  await settleBlobs(database, condemned);
  return condemned.length;
}

/** Sweeps every ten minutes. Any number of processes may: each takes its own. */
export function startBlobSweeper({ log, ...parts }: BlobSweeperParts): Loop {
  return startLoop({
    everyMs,
    trouble: new Trouble(log, "files that belong to nothing could not be deleted"),
    work: async () => {
      const swept = await sweepBlobs(parts);
      if (swept > 0) log.info({ swept }, "files that a killed process had left were deleted");
      return swept === batch;
    },
  });
}
