// The times of a session; tests shorten them.
import type { SocketTiming } from "./platform/socket.ts";

export interface Timing extends SocketTiming {
  /** How long a login may take, with everything that waited. */
  readonly openMs: number;
  /** Nothing but answers for so long: the session may be deaf, and a new socket costs little. */
  readonly uneventfulMs: number;
  /** The first wait before another try; it doubles up to the last one. */
  readonly backoffMs: { readonly first: number; readonly last: number };
  /** The wait before the one try after another socket of this device took its place. */
  readonly replacedWaitMs: number;
  /** How long a send waits for a session that is coming back. */
  readonly sendWaitMs: number;
  /** Keys of a device that was unlinked are kept aside for so long. */
  readonly quarantineMs: number;
}

export const timing: Timing = {
  keepAliveMs: 25_000,
  acknowledgeMs: 20_000,
  privacyMs: 60_000,
  openMs: 60_000,
  uneventfulMs: 20 * 60_000,
  backoffMs: { first: 1_000, last: 60_000 },
  replacedWaitMs: 30_000,
  sendWaitMs: 5_000,
  quarantineMs: 7 * 24 * 3_600_000,
};
