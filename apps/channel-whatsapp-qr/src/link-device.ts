// Links a phone: shows the code until it is scanned or typed, and makes sure that the phone is the one that belongs here.
import type { ConnectorContext, PairingDesk } from "@thikaa/connector-kit";
import { ConnectionFault } from "@thikaa/connector-kit";
import { identityOf } from "./identity.ts";
import { Keeping } from "./keeping.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { AuthState } from "./platform/auth-state.ts";
import { DeviceCache } from "./platform/device-cache.ts";
import { WhatsAppSocket } from "./platform/socket.ts";
import type { SocketEnd } from "./platform/socket-end.ts";
import { reasonOf } from "./reasons.ts";
import type { ReasonCode } from "./reasons.ts";
import type { Timing } from "./timing.ts";
import { faultOf } from "./verdict-fault.ts";
import { verdictOf } from "./verdicts.ts";
import { endOf, letGo } from "./unlink.ts";

export interface LinkOptions {
  readonly context: ConnectorContext;
  readonly device: LinkedDevice;
  readonly timing: Timing;
  /** The number that the owner named; `null` when any will do. */
  readonly expected: string | null;
}

/** WhatsApp's own times, as Baileys keeps them: the first code to scan, and each after it. */
const firstQrMs = 60_000;
const nextQrMs = 20_000;
/** A typed code is good as long as the server goes on: as long as all codes to scan together. */
const codeMs = 160_000;

/** Resolves when a phone is linked, and is this connection's. Throws `ConnectionFault`: nobody used the code, or the wrong phone did. */
export async function linkDevice(options: LinkOptions, desk: PairingDesk): Promise<void> {
  await claim(options, await showUntilPaired(options, desk));
}

async function showUntilPaired(
  { context, device, timing }: LinkOptions,
  desk: PairingDesk,
): Promise<AuthState> {
  const store: { fault: Error | null } = { fault: null };
  let shown = 0;
  const auth = await device.auth((error) => {
    store.fault ??= error;
    void socket.end("the store failed");
  });
  const onQr = (text: string) => {
    shown += 1;
    const lasts = timing.qrMs ?? (shown === 1 ? firstQrMs : nextQrMs);
    const expiresAt = new Date(context.clock().getTime() + lasts);
    if (desk.phone === null) desk.show({ kind: "qr", text, expiresAt });
    else if (shown === 1) void showCode({ socket, context, desk, number: desk.phone });
  };
  const { baseUrl, log } = context;
  const keeper = await Keeping.load(context);
  const devices = new DeviceCache();
  const socket = new WhatsAppSocket({ auth, keeper, baseUrl, devices, log, timing, onQr });
  const end = await endOf(socket, context.signal);
  context.signal.throwIfAborted();
  if (store.fault !== null) throw store.fault;
  if (auth.isPaired) return auth;
  throw notPaired(end, { shown: shown > 0, now: context.clock().getTime() });
}

/** Asks for a code to type, once the server is ready for one. */
async function showCode(given: {
  socket: WhatsAppSocket;
  context: ConnectorContext;
  desk: PairingDesk;
  number: string;
}): Promise<void> {
  const { socket, context, desk, number } = given;
  try {
    const code = await socket.requestCode(number);
    const expiresAt = new Date(context.clock().getTime() + codeMs);
    desk.show({ kind: "code", code, expiresAt });
  } catch {
    await socket.end("no pairing code");
  }
}

function notPaired(
  end: SocketEnd,
  { shown, now }: { shown: boolean; now: number },
): ConnectionFault {
  // The server gives six codes; after the last one the socket ends with the number of a lost connection.
  if (shown && end.code === 408) return needsPerson("qr_expired");
  const verdict = verdictOf(end, { replacedBefore: false, now });
  // Tried again by backoff, as long as the person waits.
  if (verdict.kind === "later")
    return new ConnectionFault({ state: verdict.state, reason: faultOf(verdict).reason });
  return needsPerson(verdict.kind === "stop" ? verdict.reason : "pairing_failed");
}

/** The phone is linked now: it must be the one that is meant, and nobody else's; otherwise it is let go again. */
export async function claim(options: LinkOptions, auth: AuthState): Promise<void> {
  const { context, device, expected } = options;
  const number = auth.number ?? "";
  const meant = expected ?? device.number;
  try {
    if (meant !== null && meant !== number) throw needsPerson("paired_with_another_number");
    await context.identify(identityOf(auth));
  } catch (error) {
    if (error instanceof ConnectionFault) await letGo(options);
    throw error;
  }
  await device.paired(number);
}

function needsPerson(code: ReasonCode): ConnectionFault {
  return new ConnectionFault({ state: "attention", reason: reasonOf(code) });
}
