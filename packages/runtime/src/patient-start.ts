// A start that waits: PostgreSQL or NATS may come up after the process that needs them.
import type { RequestListener } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { BusAwayError } from "@thikaa/bus";
import { isAway } from "@thikaa/db";
import { answerText, serveHttp, withHealth } from "./http.ts";
import type { HttpAddress, HttpServer } from "./http.ts";
import type { Log } from "./log.ts";

export interface PatientStart {
  readonly log: Log;
  /** Where the app will listen: meanwhile it is said there that the process lives and is not ready. */
  readonly http?: HttpAddress | null | undefined;
  /** Ends the waiting at once. */
  readonly signal?: AbortSignal | undefined;
}

const firstWaitMs = 250;
const longestWaitMs = 5_000;

/**
 * Starts, again and again while PostgreSQL or NATS is away: that is said in one line for each, and one when it is over.
 * Rejects with any other failure, and with the signal's reason when that comes first.
 */
export async function startPatiently<Started extends { stop(): Promise<void> }>(
  start: () => Promise<Started>,
  { log, http, signal }: PatientStart,
): Promise<Started> {
  const begun = performance.now();
  const told = new Set<string>();
  let door: HttpServer | null = null;
  try {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        const started = await unlessStopped(start, signal);
        if (told.size > 0)
          log.warn({ waited_seconds: secondsSince(begun) }, "over: the start goes on");
        return started;
      } catch (error) {
        const away = whatIsAway(error);
        if (away === null || signal?.aborted === true) throw error;
        if (!told.has(away))
          log.warn({ error }, `${away} can't be reached: the start waits until it answers`);
        told.add(away);
      }
      if (http != null)
        door ??= await serveHttp(
          http,
          withHealth(() => false, notYet),
        );
      // Spread, so that a house full of processes does not ask all at once.
      await pause(waitMs * (0.5 + Math.random()), undefined, { signal }).catch(() =>
        signal?.throwIfAborted(),
      );
    }
  } finally {
    await door?.close(0);
  }
}

/** The result of `start`, unless the signal comes first: what starts after it is stopped again. */
function unlessStopped<Started extends { stop(): Promise<void> }>(
  start: () => Promise<Started>,
  signal: AbortSignal | undefined,
): Promise<Started> {
  signal?.throwIfAborted();
  const starting = start();
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal?.reason);
      starting.then((started) => started.stop()).catch(() => {});
    };
    signal?.addEventListener("abort", leave, { once: true });
    starting.then(resolve, reject).finally(() => signal?.removeEventListener("abort", leave));
  });
}

function whatIsAway(error: unknown): "NATS" | "PostgreSQL" | null {
  if (error instanceof BusAwayError) return "NATS";
  return isAway(error) ? "PostgreSQL" : null;
}

const notYet: RequestListener = (_request, response) => {
  response.setHeader("Retry-After", "5");
  answerText(response, 503, "starting\n");
};

function secondsSince(begun: number): number {
  return Math.round((performance.now() - begun) / 1_000);
}
