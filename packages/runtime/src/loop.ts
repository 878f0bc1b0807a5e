// A loop: does its work when rung and at least each second, never twice at once.
import { setTimeout as pause } from "node:timers/promises";
import type { Trouble } from "./trouble.ts";

export interface LoopConfig {
  /** The work; resolves to `true` when there is more to do at once. */
  readonly work: (signal: AbortSignal) => Promise<boolean>;
  /** The longest wait without a ring, in milliseconds. */
  readonly everyMs: number;
  /** Gathers rings for so long before it works, in milliseconds. 0 by default. */
  readonly gatherMs?: number;
  /** Told how each round went. After a failure the loop goes on, waiting longer (up to 5 s) after each in a row. */
  readonly trouble: Pick<Trouble, "failed" | "passed">;
}

export interface Loop {
  /** Asks for work soon. Cheap; many rings in a row are one. */
  ring(): void;
  /** Ends after the work in flight. */
  stop(): Promise<void>;
}

/** Starts a loop; it works once at once. */
export function startLoop(config: LoopConfig): Loop {
  const stopping = new AbortController();
  let wake: (() => void) | null = null;
  let rung = true;
  const ring = () => {
    rung = true;
    wake?.();
  };
  const wait = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(done, milliseconds);
      wake = done;
      function done() {
        clearTimeout(timer);
        wake = null;
        resolve();
      }
    });
  const finished = (async () => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      if (!rung) await wait(config.everyMs);
      if (stopping.signal.aborted) break;
      if (config.gatherMs) await new Promise((resolve) => setTimeout(resolve, config.gatherMs));
      rung = false;
      try {
        if (await config.work(stopping.signal)) rung = true;
        failures = 0;
        config.trouble.passed();
      } catch (error) {
        if (stopping.signal.aborted) break;
        config.trouble.failed(error);
        rung = false;
        // Rings don't cut this wait short: under load they would make a failing loop a busy one.
        await pause(Math.min(5_000, 100 * 2 ** failures++), undefined, {
          signal: stopping.signal,
        }).catch(() => {});
        rung = true;
      }
    }
  })();
  return {
    ring,
    async stop() {
      stopping.abort();
      ring();
      await finished;
    },
  };
}
