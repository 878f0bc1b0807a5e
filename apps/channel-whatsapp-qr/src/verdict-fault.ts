// What the host is told of a session that is not open, from the verdict on its end.
import { ConnectionFault } from "@thikaa/connector-kit";
import type { Ban } from "./ban.ts";
import { reasonOf } from "./reasons.ts";
import type { Verdict } from "./verdicts.ts";

export function faultOf(verdict: Exclude<Verdict, { kind: "again" }>): ConnectionFault {
  const waitMs = verdict.kind === "stop" ? verdict.retryMs : verdict.waitMs;
  return new ConnectionFault({
    state: verdict.kind === "stop" ? "attention" : verdict.state,
    reason: reasonOf(verdict.reason, verdict.kind === "stop" ? undefined : verdict.ban),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** A ban that has not ended yet. */
export function banFault(ban: Ban, now: number): ConnectionFault {
  return new ConnectionFault({
    state: "limited",
    reason: reasonOf("temporarily_banned", ban),
    retryAfterMs: ban.until - now,
  });
}
