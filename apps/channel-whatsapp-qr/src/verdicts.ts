// What follows from the end of a socket: open it again at once or later, or stop and say what a person has to do.
import type { Ban } from "./ban.ts";
import type { SocketEnd } from "./platform/socket-end.ts";
import type { ReasonCode } from "./reasons.ts";
import { timing } from "./timing.ts";

export type Verdict =
  /** The server asks for a new socket; nothing is wrong. */
  | { readonly kind: "again" }
  | {
      readonly kind: "later";
      readonly state: "recovering" | "limited";
      readonly reason: ReasonCode;
      /** The least to wait; the backoff alone decides when left out. */
      readonly waitMs?: number;
      /** It is waited for by every process, and through restarts. */
      readonly ban?: Ban;
    }
  | {
      readonly kind: "stop";
      readonly reason: ReasonCode;
      /** The phone has let the device go: its keys open nothing any more. */
      readonly unlinked?: true;
      /** WhatsApp does not take these keys: whoever pairs again gets new ones. */
      readonly refused?: true;
      /** It may pass without a person as well: a try after so long. */
      readonly retryMs?: number;
    };

/** The socket was ended here: what it needs could not be read or written. */
export const storeFailed: SocketEnd = {
  code: 0,
  says: "the store failed",
  deviceRemoved: false,
  expires: null,
};

const banWaitMs = 3_600_000;
const shortestBanMs = 60_000;
const outdatedRetryMs = 3_600_000;

/** Ends after which nothing helps but a person. */
const stops: Readonly<Record<number, Omit<Extract<Verdict, { kind: "stop" }>, "kind">>> = {
  401: { reason: "logged_out", unlinked: true },
  403: { reason: "banned", refused: true },
  // The operator has to update; WhatsApp has also been seen to take it back.
  405: { reason: "client_outdated", retryMs: outdatedRetryMs },
  411: { reason: "pairing_outdated", refused: true },
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
  {
    replacedBefore,
    replacedWaitMs = timing.replacedWaitMs,
    now,
  }: { replacedBefore: boolean; replacedWaitMs?: number; now: number },
): Verdict {
  // The server removes a device by the same words as those for a device that was opened elsewhere.
  const code = end.deviceRemoved ? 401 : end.code;
  const stop = stops[code];
  if (code === 515) return { kind: "again" };
  if (stop !== undefined) return { kind: "stop", ...stop };
  if (code === 440 && replacedBefore) return { kind: "stop", reason: "replaced" };
  if (code === 440)
    return { kind: "later", state: "recovering", reason: "replaced", waitMs: replacedWaitMs };
  if (code === 402) return banned(end, now);
  return { kind: "later", state: "recovering", reason: passing[code] ?? "connection_ended" };
}

function banned({ expires }: SocketEnd, now: number): Verdict {
  const waitMs = expires === null ? banWaitMs : Math.max(untilMs(expires, now), shortestBanMs);
  const ban = { until: now + waitMs, isTold: expires !== null };
  return { kind: "later", state: "limited", reason: "temporarily_banned", waitMs, ban };
}

/** A ban's end is told as a time, or as so many seconds from now. */
function untilMs(expires: number, now: number): number {
  return expires > now / 2_000 ? expires * 1_000 - now : expires * 1_000;
}
