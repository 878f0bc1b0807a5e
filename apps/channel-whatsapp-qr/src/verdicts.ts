// What follows from the end of a socket: open it again at once or later, or stop and say what a person has to do.
import type { SocketEnd } from "./platform/socket-end.ts";
import type { ReasonCode } from "./reasons.ts";

export type Verdict =
  /** The server asks for a new socket; nothing is wrong. */
  | { readonly kind: "again" }
  | {
      readonly kind: "later";
      readonly state: "recovering" | "limited";
      readonly reason: ReasonCode;
      /** The least to wait; the backoff alone decides when left out. */
      readonly waitMs?: number;
    }
  | {
      readonly kind: "stop";
      readonly reason: ReasonCode;
      /** The phone has let the device go: its keys open nothing any more. */
      readonly unlinked?: true;
    };

/** The socket was ended here: what it needs could not be read or written. */
export const storeFailed: SocketEnd = {
  code: 0,
  says: "the store failed",
  deviceRemoved: false,
  expires: null,
};

const replacedWaitMs = 30_000;
const banWaitMs = 3_600_000;
const shortestBanMs = 60_000;

/** Ends after which nothing helps but a person. */
const stops: Readonly<Record<number, ReasonCode>> = {
  401: "logged_out",
  403: "banned",
  405: "client_outdated",
  411: "pairing_outdated",
};

/** Ends after which it is tried again; any other is tried again as well. */
const passing: Readonly<Record<number, ReasonCode>> = {
  0: "database_unavailable",
  408: "no_answer",
  428: "connection_lost",
  503: "provider_unavailable",
};

/** `replacedBefore`: it was replaced shortly before already. `now` is the time, in milliseconds since 1970. */
export function verdictOf(
  end: SocketEnd,
  { replacedBefore, now }: { replacedBefore: boolean; now: number },
): Verdict {
  // The server removes a device by the same words as those for a device that was opened elsewhere.
  const code = end.deviceRemoved ? 401 : end.code;
  const stop = stops[code];
  if (code === 515) return { kind: "again" };
  if (stop !== undefined)
    return { kind: "stop", reason: stop, ...(code === 401 ? { unlinked: true } : {}) };
  if (code === 440 && replacedBefore) return { kind: "stop", reason: "replaced" };
  if (code === 440)
    return { kind: "later", state: "recovering", reason: "replaced", waitMs: replacedWaitMs };
  if (code === 402)
    return {
      kind: "later",
      state: "limited",
      reason: "temporarily_banned",
      waitMs: banMs(end, now),
    };
  return { kind: "later", state: "recovering", reason: passing[code] ?? "connection_ended" };
}

/** A ban's end is told as a time, or as so many seconds from now. */
function banMs({ expires }: SocketEnd, now: number): number {
  if (expires === null) return banWaitMs;
  const until = expires > now / 2_000 ? expires * 1_000 - now : expires * 1_000;
  return Math.max(until, shortestBanMs);
}
