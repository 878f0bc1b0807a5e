// Links a phone: shows the code until it is scanned or typed, and makes sure that the phone is the one that belongs here.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { ConnectionFault } from "@thikaa/connector-kit";
import { identityOf } from "./identity.ts";
import { Keeping } from "./keeping.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Pairing, PairingRequest } from "./pairing.ts";
import type { AuthState } from "./platform/auth-state.ts";
import { DeviceCache } from "./platform/device-cache.ts";
import { WhatsAppSocket } from "./platform/socket.ts";
import type { SocketEnd } from "./platform/socket-end.ts";
import type { Timing } from "./timing.ts";
import { verdictOf } from "./verdicts.ts";
import { within } from "./waiting.ts";

export interface LinkOptions {
  readonly context: ConnectorContext;
  readonly device: LinkedDevice;
  readonly timing: Timing;
  readonly pairing: Pairing | undefined;
  /** The number that the owner named; `null` when any will do. */
  readonly expected: string | null;
}

/** WhatsApp's own times, as Baileys keeps them: the first code to scan, and each after it. */
const firstQrMs = 60_000;
const nextQrMs = 20_000;
/** All codes to scan together; a typed code is good as long as the server goes on. */
const codeMs = 160_000;
const logoutMs = 20_000;

/** Resolves when a phone is linked, and is this connection's. Throws `ConnectionFault`: nobody asked for it, nobody scanned, or it is the wrong phone. */
export async function linkDevice(options: LinkOptions): Promise<void> {
  const { context, pairing } = options;
  const request = pairing?.request ?? null;
  if (pairing === undefined || request === null)
    throw needsPerson(
      "not_paired",
      "No phone is linked. Pair this connection: scan the code with WhatsApp on the phone (Settings, Linked devices).",
    );
  context.report("pairing", null);
  const paired = await showUntilPaired(options, { pairing, request });
  await claim(options, paired);
}

async function showUntilPaired(
  { context, device, timing }: LinkOptions,
  { pairing, request }: { pairing: Pairing; request: PairingRequest },
): Promise<AuthState> {
  const store: { fault: Error | null } = { fault: null };
  let shown = 0;
  const auth = await device.auth((error) => {
    store.fault ??= error;
    void socket.end("the store failed");
  });
  const onQr = (qr: string) => {
    shown += 1;
    const lasts = timing.qrMs ?? (shown === 1 ? firstQrMs : nextQrMs);
    const expiresAt = new Date(context.clock().getTime() + lasts);
    if (request.kind === "qr") pairing.show({ qr, code: null, expiresAt });
    else if (shown === 1) void showCode({ socket, context, pairing }, request.number);
  };
  const socket = await openSocket({ context, timing, auth, onQr });
  const end = await endOf(socket, context.signal);
  context.signal.throwIfAborted();
  if (store.fault !== null) throw store.fault;
  if (auth.isPaired) return auth;
  throw notPaired(end, { shown: shown > 0, now: context.clock().getTime() });
}

async function openSocket({
  context,
  ...given
}: Pick<LinkOptions, "context" | "timing"> & {
  auth: AuthState;
  onQr: (qr: string) => void;
}): Promise<WhatsAppSocket> {
  const { baseUrl, log } = context;
  const keeper = await Keeping.load(context);
  return new WhatsAppSocket({ ...given, keeper, baseUrl, log, devices: new DeviceCache() });
}

async function showCode(
  {
    socket,
    context,
    pairing,
  }: { socket: WhatsAppSocket; context: ConnectorContext; pairing: Pairing },
  number: string,
): Promise<void> {
  try {
    const code = await socket.requestCode(number);
    const expiresAt = new Date(context.clock().getTime() + codeMs);
    pairing.show({ qr: null, code, expiresAt });
  } catch {
    await socket.end("no pairing code");
  }
}

function endOf(socket: WhatsAppSocket, signal: AbortSignal): Promise<SocketEnd> {
  const cut = () => void socket.end("closing");
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  return socket.ended.finally(() => signal.removeEventListener("abort", cut));
}

function notPaired(
  end: SocketEnd,
  { shown, now }: { shown: boolean; now: number },
): ConnectionFault {
  // The server gives six codes; after the last one the socket ends with the number of a lost connection.
  if (shown && end.code === 408)
    return needsPerson(
      "qr_expired",
      "Nobody scanned the code in time. Ask for pairing again to get a new one.",
    );
  const verdict = verdictOf(end, { replacedBefore: false, now });
  if (verdict.kind === "later")
    return new ConnectionFault({ state: verdict.state, reason: verdict.reason });
  return verdict.kind === "stop"
    ? needsPerson(verdict.reason.code, verdict.reason.message)
    : needsPerson("pairing_failed", "WhatsApp ended the pairing. Ask for it again.");
}

/** The phone is linked now: it must be the one that is meant, and nobody else's; otherwise it is let go again. */
export async function claim(options: LinkOptions, auth: AuthState): Promise<void> {
  const { context, device, expected } = options;
  const number = auth.number ?? "";
  const meant = expected ?? device.number;
  try {
    if (meant !== null && meant !== number)
      throw needsPerson(
        "paired_with_another_number",
        `The code was scanned with +${number}, but this connection belongs to +${meant}. Scan it with that phone, or add a connection for the other one.`,
      );
    await context.identify(identityOf(auth));
  } catch (error) {
    if (error instanceof ConnectionFault) await letGo(options);
    throw error;
  }
  await device.paired(number);
}

/** Unlinks the phone that was just linked, and forgets its keys. */
async function letGo({ context, device, timing }: LinkOptions): Promise<void> {
  const auth = await device.auth(() => undefined);
  const socket = await openSocket({ context, timing, auth, onQr: () => undefined });
  await within(logoutMs, Promise.race([socket.opened, socket.ended]));
  await socket.logout();
  await device.unlinked();
}

function needsPerson(code: string, message: string): ConnectionFault {
  return new ConnectionFault({ state: "attention", reason: { code, message } });
}
