// Polling one connection: fetch, commit, acknowledge; a failed poll is said in the connection's state and tried again.
import { backoffMs } from "@thikaa/schema";
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";
import { Trouble } from "@thikaa/runtime";
import type { Log } from "@thikaa/runtime";
import type { PollingFacet } from "../connected-account.ts";
import type { ConnectionFault } from "../faults.ts";
import type { RawItem } from "../raw-item.ts";
import { hostLimits } from "./host-config.ts";
import { toFault } from "./to-fault.ts";
import { sleep } from "./waiting.ts";

export interface PollingOptions {
  readonly polling: PollingFacet;
  readonly receive: (items: readonly RawItem[]) => Promise<void>;
  readonly report: (state: ConnectionState, reason: ConnectionReason | null) => void;
  /** A person is needed; polling has ended. */
  readonly onDead: (fault: ConnectionFault) => void;
  readonly log: Log;
}

/** Polls until the signal aborts or a person is needed. Never rejects. */
export async function pollUntil(signal: AbortSignal, options: PollingOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const items = await options.polling.poll(signal);
      if (failures > 0) options.report("connected", null);
      failures = 0;
      if (items.length > 0 && (await commit(items, signal, options))) options.polling.committed();
    } catch (error) {
      if (signal.aborted) return;
      const fault = toFault(error, options.log);
      if (fault.state === "attention") return options.onDead(fault);
      failures += 1;
      options.report(fault.state, fault.reason);
      await sleep(
        fault.retryAfterMs ?? backoffMs(Math.min(failures, hostLimits.backoffSteps)),
        signal,
      );
    }
  }
}

/** Tries until the items are committed; `false` when it was told to end before. They come again then: nobody acknowledged them. */
async function commit(
  items: readonly RawItem[],
  signal: AbortSignal,
  options: PollingOptions,
): Promise<boolean> {
  const trouble = new Trouble(options.log, "what came in could not be stored; trying again");
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await options.receive(items);
      trouble.passed();
      return true;
    } catch (error) {
      trouble.failed(error, { items: items.length });
      await sleep(Math.min(5_000, 100 * 2 ** failures), signal);
    }
  }
  return false;
}
