// Requests that wait too long for a silent database: answered all the same, with what can be said.
import { ApiError } from "@thikaa/schema";
import type { Exchange } from "./answer.ts";

const undecided =
  "The service can't tell just now whether this was done. Repeat the request shortly, with the same Idempotency-Key.";

/**
 * The work, or `unavailable` when a request that is wholly here waits longer than this for it. A client that still sends is
 * the server's to cut off. A timer each, and no set of all of them: sets that change with every request are collected late,
 * and what was in them with them.
 */
export function within(
  milliseconds: number,
  { request }: Exchange,
  work: Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (request.complete)
        reject(new ApiError("unavailable", { message: undecided, retryAfter: 2 }));
    }, milliseconds);
    work.then(
      () => {
        clearInterval(timer);
        resolve();
      },
      (error: unknown) => {
        clearInterval(timer);
        reject(error);
      },
    );
  });
}
