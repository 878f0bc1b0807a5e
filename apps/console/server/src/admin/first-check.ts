// The first check of a new connection: waits until the channel's owner has asked the provider and reported.
import { readFirstReport } from "@thikaa/db";
import type { FirstReport } from "@thikaa/db";
import type { House } from "../house.ts";

const defaultWaitMs = 20_000;
const pollMs = 500;
/** Without a report in these states the owner is still at it (or there is none). */
const undecided = new Set(["connecting", "recovering"]);

/** Watches a connection whose row is about to be inserted. */
export interface FirstCheck {
  /** Resolves to the owner's verdict, or to its last word when none came in time; `null` when the row is gone. */
  verdict(): Promise<FirstReport | null>;
  close(): void;
}

/** Begins to listen before the row is there, so that no report is missed. */
export async function watchFirstCheck(house: House, connectionId: string): Promise<FirstCheck> {
  let wake = () => {};
  const listener = house.bus.listen({ ring: "connection", to: [connectionId] }, () => wake());
  await house.bus.flush().catch(() => {});
  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    async verdict() {
      const end = performance.now() + (house.config.firstCheckMs ?? defaultWaitMs);
      for (;;) {
        const report = await readFirstReport(house.database, connectionId);
        const left = end - performance.now();
        if (report === null || !undecided.has(report.state) || left <= 0 || house.stopping.aborted)
          return report;
        await pause(Math.min(pollMs, left));
      }
    },
    close: () => listener.close(),
  };
}
