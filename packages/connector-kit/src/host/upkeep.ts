// The upkeep of one connection: what its connector keeps for a time is deleted when the time is over, whether the connection is open or not.
import { loadConnection } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Loop } from "@thikaa/runtime";
import { ConnectionFault, OwnershipLost } from "../faults.ts";
import { createContext } from "./context.ts";
import type { ContextOptions } from "./context.ts";
import { hostLimits } from "./host-config.ts";

/** Runs at once and then each hour; `null` when the connector keeps nothing of the kind. */
export function startUpkeep(
  options: Omit<ContextOptions, "row"> & { connectionId: string },
): Loop | null {
  const { parts, signal } = options;
  if (parts.connector.upkeep === undefined) return null;
  return startLoop({
    work: () => keepUp(options).then(() => false),
    everyMs: parts.config.upkeepMs ?? hostLimits.upkeepMs,
    trouble: untilAborted(new Trouble(parts.log, "the upkeep of a connection failed"), signal),
  });
}

async function keepUp({
  connectionId,
  ...options
}: Parameters<typeof startUpkeep>[0]): Promise<void> {
  const { connector, database } = options.parts;
  const row = await loadConnection(database, connectionId);
  if (row?.desired !== "on") return;
  try {
    await connector.upkeep?.(createContext({ ...options, row }));
  } catch (error) {
    // It has no context just now, or it is another owner's upkeep by now.
    if (!(error instanceof ConnectionFault) && !(error instanceof OwnershipLost)) throw error;
  }
}

/** What ends with the connection is no trouble. */
function untilAborted(trouble: Trouble, signal: AbortSignal): Pick<Trouble, "failed" | "passed"> {
  return {
    failed: (error) => {
      if (!signal.aborted) trouble.failed(error);
    },
    passed: () => trouble.passed(),
  };
}
