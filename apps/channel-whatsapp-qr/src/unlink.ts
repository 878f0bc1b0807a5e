// Unlinks a phone: WhatsApp is told that this device is none of the phone's any more, so that the phone no longer lists it.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { ConnectionFault } from "@thikaa/connector-kit";
import { keepNothing } from "./keeping.ts";
import { LinkedDevice } from "./linked-device.ts";
import type { AuthState } from "./platform/auth-state.ts";
import { DeviceCache } from "./platform/device-cache.ts";
import { WhatsAppSocket } from "./platform/socket.ts";
import type { SocketEnd } from "./platform/socket-end.ts";
import { reasonOf } from "./reasons.ts";
import type { Timing } from "./timing.ts";
import { faultOf } from "./verdict-fault.ts";
import { verdictOf } from "./verdicts.ts";

interface UnlinkOptions {
  readonly context: ConnectorContext;
  readonly device: LinkedDevice;
  readonly timing: Timing;
}

/**
 * Takes back what a connection left at WhatsApp. Switched off it stays linked, so that it can be switched on without a
 * person at the phone; removed it is unlinked. Throws `ConnectionFault`: `attention` when WhatsApp lets this device in no more.
 */
export async function retire(
  context: ConnectorContext,
  { desired, timing }: { desired: "off" | "removed"; timing: Timing },
): Promise<void> {
  if (desired === "removed")
    await unlink({ context, device: await LinkedDevice.load(context), timing });
}

/** Unlinks the phone that was just linked and may not stay, as well as can be done now, and puts its keys aside. */
export async function letGo(options: UnlinkOptions): Promise<void> {
  const { context, device } = options;
  await unlink(options).catch((error: unknown) => {
    if (!(error instanceof ConnectionFault)) throw error;
    context.log.warn({ reason: error.reason.code }, "a phone that may not stay was not unlinked");
  });
  await device.unlinked();
}

/** Resolves once WhatsApp has said that the phone is not linked, whoever unlinked it. */
async function unlink({ context, device, timing }: UnlinkOptions): Promise<void> {
  for (;;) {
    const auth = await device.auth(() => undefined);
    if (!auth.isPaired) return;
    const end = await logOut(auth, { context, timing });
    if (end === null) return;
    const verdict = verdictOf(end, { replacedBefore: false, now: context.clock().getTime() });
    if (verdict.kind === "stop" && verdict.unlinked === true) return;
    // An update of this installation lets it in again.
    if (verdict.kind === "stop" && verdict.retryMs !== undefined)
      throw new ConnectionFault({
        state: "recovering",
        reason: reasonOf(verdict.reason),
        retryAfterMs: verdict.retryMs,
      });
    if (verdict.kind !== "again") throw faultOf(verdict);
  }
}

/** `null` when the phone is unlinked, else how the socket ended before it was. */
async function logOut(
  auth: AuthState,
  { context, timing }: Omit<UnlinkOptions, "device">,
): Promise<SocketEnd | null> {
  const { baseUrl, log, signal } = context;
  const socket = new WhatsAppSocket({
    auth,
    keeper: keepNothing,
    baseUrl,
    devices: new DeviceCache(),
    log,
    timing,
    onQr: () => undefined,
  });
  const late = setTimeout(() => void socket.end("it took too long to open"), timing.openMs);
  const ended = endOf(socket, signal);
  const end = await Promise.race([socket.opened.then(() => null), ended]);
  clearTimeout(late);
  if (end !== null) return end;
  return (await socket.logout()) ? null : await ended;
}

/** How the socket ends; it is ended when the signal aborts. */
export function endOf(socket: WhatsAppSocket, signal: AbortSignal): Promise<SocketEnd> {
  const cut = () => void socket.end("closing");
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  return socket.ended.finally(() => signal.removeEventListener("abort", cut));
}
