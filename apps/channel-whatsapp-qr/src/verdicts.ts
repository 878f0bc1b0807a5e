// What follows from the end of a socket: open it again at once or later, or stop and say what a person has to do.
import type { ConnectionReason } from "@thikaa/schema";
import type { SocketEnd } from "./platform/socket-end.ts";

export type Verdict =
  /** The server asks for a new socket; nothing is wrong. */
  | { readonly kind: "again" }
  | {
      readonly kind: "later";
      readonly state: "recovering" | "limited";
      readonly reason: ConnectionReason;
      /** The least to wait; the backoff alone decides when left out. */
      readonly waitMs?: number;
    }
  | {
      readonly kind: "stop";
      readonly reason: ConnectionReason;
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

const stops: Readonly<Record<number, Extract<Verdict, { kind: "stop" }>>> = {
  401: {
    kind: "stop",
    unlinked: true,
    reason: {
      code: "logged_out",
      message:
        "The phone has unlinked this connection, or WhatsApp has logged it out. Messages wait. Pair it again with the same phone.",
    },
  },
  403: {
    kind: "stop",
    reason: {
      code: "banned",
      message:
        "WhatsApp refuses this number: it may be banned. Open WhatsApp on the phone and see what it says; pair again when it works there.",
    },
  },
  405: {
    kind: "stop",
    reason: {
      code: "client_outdated",
      message:
        "WhatsApp no longer accepts this version of the client. The operator has to update this installation.",
    },
  },
  411: {
    kind: "stop",
    reason: {
      code: "pairing_outdated",
      message: "WhatsApp no longer accepts how this phone was linked. Pair it again.",
    },
  },
};

const replaced: ConnectionReason = {
  code: "replaced",
  message:
    "The same linked device was opened somewhere else, so WhatsApp closed it here. If that goes on, unlink it on the phone and pair again.",
};

/** Words for ends after which it is tried again. */
const passing: Readonly<Record<number, ConnectionReason>> = {
  0: {
    code: "database_unavailable",
    message: "The database can't be reached just now. It goes on by itself.",
  },
  408: { code: "no_answer", message: "WhatsApp does not answer. It is tried again by itself." },
  428: {
    code: "connection_lost",
    message: "The connection to WhatsApp broke. It comes back by itself.",
  },
  503: {
    code: "provider_unavailable",
    message: "WhatsApp is not available just now. It is tried again by itself.",
  },
};
const anyEnd: ConnectionReason = {
  code: "connection_ended",
  message: "WhatsApp ended the connection. It is tried again by itself.",
};

/** `replacedBefore`: it was replaced shortly before already. `now` is the time, in milliseconds since 1970. */
export function verdictOf(
  end: SocketEnd,
  { replacedBefore, now }: { replacedBefore: boolean; now: number },
): Verdict {
  const { code } = end;
  if (code === 515) return { kind: "again" };
  const stop = stops[end.deviceRemoved ? 401 : code];
  if (stop !== undefined) return stop;
  if (code === 440)
    return replacedBefore
      ? { kind: "stop", reason: replaced }
      : { kind: "later", state: "recovering", reason: replaced, waitMs: replacedWaitMs };
  if (code === 402)
    return {
      kind: "later",
      state: "limited",
      waitMs: banMs(end, now),
      reason: {
        code: "temporarily_banned",
        message:
          "WhatsApp has banned this number for a while. It is tried again when the ban ends; send less to people who did not write first.",
      },
    };
  return { kind: "later", state: "recovering", reason: passing[code] ?? anyEnd };
}

/** A ban's end is told as a time, or as so many seconds from now. */
function banMs({ expires }: SocketEnd, now: number): number {
  if (expires === null) return banWaitMs;
  const until = expires > now / 2_000 ? expires * 1_000 - now : expires * 1_000;
  return Math.max(until, 60_000);
}
