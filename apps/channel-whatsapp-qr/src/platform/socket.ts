// One socket to WhatsApp: Baileys, set up so that nothing is acknowledged before it is kept and nothing is sent before its ratchet step is.
import { Agent } from "node:https";
import type { ConnectorLog } from "@thikaa/connector-kit";
import makeWASocket, {
  DEFAULT_CONNECTION_CONFIG,
  isJidNewsletter,
  isJidStatusBroadcast,
  proto,
  S_WHATSAPP_NET,
} from "@whiskeysockets/baileys";
import type { BinaryNode, UserFacingSocketConfig } from "@whiskeysockets/baileys";
import { officialUrl } from "../official-url.ts";
import { acknowledgements } from "./acknowledgements.ts";
import type { Acknowledgement, Acknowledgements } from "./acknowledgements.ts";
import type { AuthState } from "./auth-state.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { DeviceCache } from "./device-cache.ts";
import { Intake } from "./intake.ts";
import type { Keeper } from "./intake.ts";
import { quietLogger } from "./log.ts";
import { readEnd } from "./socket-end.ts";
import type { SocketEnd } from "./socket-end.ts";

export interface SocketOptions {
  readonly auth: AuthState;
  readonly baseUrl: string;
  /** Kept across the sockets of a connection. */
  readonly devices: DeviceCache;
  readonly keeper: Keeper;
  readonly log: ConnectorLog;
  readonly timing: SocketTiming;
  /** A new code to scan; the one before it is dead. */
  readonly onQr: (qr: string) => void;
}

export interface SocketTiming {
  /** Between two questions whether the server is there; no answer within 5 s more is the end. */
  readonly keepAliveMs: number;
  /** How long the server may take to say that it has a message. */
  readonly acknowledgeMs: number;
  /** How long the account's privacy, once asked for, is taken to be so: its owner may change it on the phone. */
  readonly privacyMs: number;
  /** How long a code to scan is good; Baileys' own times when left out. */
  readonly qrMs?: number | undefined;
}

export type BaileysSocket = ReturnType<typeof makeWASocket>;

/** What is sent: one message of WhatsApp's. */
export interface Relayed {
  readonly jid: string;
  readonly id: string;
  readonly message: proto.IMessage;
  /** WhatsApp's number for a message that changes another one. */
  readonly edit?: "1" | "7" | undefined;
  /** Kept together with the ratchet step, before the first byte leaves. */
  readonly values: Readonly<Record<string, string>>;
}

/** A message did not go out, or nobody knows. */
export class RelayFault extends Error {
  /** Whether its bytes may have left. */
  readonly mayHaveLeft: boolean;

  constructor(cause: unknown, mayHaveLeft: boolean) {
    super("A message was not sent.", { cause });
    this.name = "RelayFault";
    this.mayHaveLeft = mayHaveLeft;
  }
}

export class WhatsAppSocket {
  /** Resolves when it is logged in; never when it ends before. */
  readonly opened: Promise<void>;
  /** Resolves once everything of it is closed. */
  readonly ended: Promise<SocketEnd>;
  readonly #socket: BaileysSocket;
  readonly #auth: AuthState;
  readonly #acknowledgements: Acknowledgements;
  readonly #ending = Promise.withResolvers<SocketEnd>();
  #isOpen = false;
  #hasEnded = false;
  readonly #privacyMs: number;
  #privacyAt = Number.NEGATIVE_INFINITY;
  #contentAt = performance.now();
  #frameAt = performance.now();

  constructor(options: SocketOptions) {
    const { auth, timing } = options;
    this.#auth = auth;
    this.#privacyMs = timing.privacyMs;
    this.#socket = makeWASocket(configOf(options));
    this.ended = this.#ending.promise;
    this.#acknowledgements = acknowledgements(this.#socket, timing.acknowledgeMs);
    const opened = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.#socket.ev.on("creds.update", () => auth.credentialsChanged());
    this.#socket.ev.on("connection.update", ({ connection, qr, lastDisconnect }) => {
      if (qr !== undefined) options.onQr(qr);
      if (connection === "open") {
        this.#isOpen = true;
        opened.resolve();
      }
      if (connection === "close") void this.#close(lastDisconnect?.error);
    });
    this.#socket.ws.on("frame", (frame: BinaryNode | Uint8Array) => this.#saw(frame));
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#hasEnded && this.#socket.ws.isOpen;
  }

  /** Milliseconds since the server said anything at all. */
  get silentMs(): number {
    return performance.now() - this.#frameAt;
  }

  /** Milliseconds since it said anything that was not an answer to a question of ours. */
  get uneventfulMs(): number {
    return performance.now() - this.#contentAt;
  }

  /** Asks for a code that the phone's owner types. Only while the codes to scan come. */
  requestCode(number: string): Promise<string> {
    return this.#socket.requestPairingCode(number);
  }

  /** Sends, and resolves when the server says that it has the message or does not want it. Throws `RelayFault`. */
  async relay({ jid, id, message, edit, values }: Relayed): Promise<Acknowledgement> {
    const { keys } = this.#auth;
    const expected = this.#acknowledgements.expect(id);
    let mayHaveLeft = false;
    try {
      await keys.transaction(async () => {
        keys.keep([], values);
        try {
          await this.#socket.relayMessage(jid, message, {
            messageId: id,
            ...(edit === undefined ? {} : { additionalAttributes: { edit } }),
          });
          mayHaveLeft = true;
        } catch (error) {
          mayHaveLeft = keys.hasCommitted && !saysClosed(error);
          throw error;
        }
      }, "relay");
    } catch (error) {
      expected.forget();
      throw new RelayFault(error, mayHaveLeft);
    }
    return expected.answer();
  }

  /**
   * Marks messages of a chat as read, and resolves when the server says that it was told. Their author learns of it unless
   * the account's privacy keeps that back; its own devices do always. Throws `RelayFault`.
   */
  async read(jid: string, ids: readonly string[]): Promise<Acknowledgement> {
    const expected = this.#acknowledgements.expect(ids[0] ?? "", "read");
    try {
      await this.#refreshPrivacy();
      await this.#socket.readMessages(ids.map((id) => ({ remoteJid: jid, fromMe: false, id })));
    } catch (error) {
      expected.forget();
      throw new RelayFault(error, false);
    }
    return expected.answer();
  }

  /** Whether the number has WhatsApp; `null` when the server does not say. */
  async has(number: string): Promise<boolean | null> {
    const found = await this.#socket.onWhatsApp(`${number}@s.whatsapp.net`);
    // Without an answer in time Baileys gives nothing; a number that is unknown is left out of the list.
    return found === undefined ? null : found.some(({ exists }) => Boolean(exists));
  }

  /** The LID of a number as far as it is known here; nobody is asked. */
  async knownLid(number: string): Promise<string | null> {
    const { [number]: lid } = await this.#auth.keys.get("lid-mapping", [number]);
    return lid ?? null;
  }

  async showTyping(jid: string): Promise<void> {
    await this.#socket.sendPresenceUpdate("composing", jid);
  }

  /** Baileys itself, for the other files of this folder. */
  get baileys(): BaileysSocket {
    return this.#socket;
  }

  /** Unlinks this device at the phone, and ends. Says whether WhatsApp has said that it is unlinked; Baileys' own way does not wait for that. */
  async logout(): Promise<boolean> {
    const id = this.#socket.generateMessageTag();
    const device = { jid: this.#auth.creds.me?.id ?? "", reason: "user_initiated" };
    const answer: unknown = await this.#socket
      .query({
        tag: "iq",
        attrs: { to: S_WHATSAPP_NET, type: "set", id, xmlns: "md" },
        content: [{ tag: "remove-companion-device", attrs: device }],
      })
      // Whom it has unlinked the server may cut off without an answer; and Baileys gives nothing when none comes in time.
      .catch(() => undefined);
    const end = await this.end("logged out");
    return answer !== undefined || end.code === 401 || end.deviceRemoved;
  }

  /** Ends it; resolves when it is closed and nothing of it is being written any more. Never throws. */
  async end(why: string): Promise<SocketEnd> {
    // A server that does not answer the goodbye is not waited for.
    const cut = setTimeout(() => this.#cut(), 2_000);
    void this.#socket.end(new Error(why)).catch(() => undefined);
    const end = await this.ended;
    clearTimeout(cut);
    return end;
  }

  /** Baileys itself asks once, and remembers. */
  async #refreshPrivacy(): Promise<void> {
    if (performance.now() - this.#privacyAt < this.#privacyMs) return;
    await this.#socket.fetchPrivacySettings(true);
    this.#privacyAt = performance.now();
  }

  #saw(frame: BinaryNode | Uint8Array): void {
    this.#frameAt = performance.now();
    if (!(frame instanceof Uint8Array) && frame.tag !== "iq") this.#contentAt = this.#frameAt;
  }

  async #close(error: unknown): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#acknowledgements.end();
    await this.#auth.keys.close();
    this.#ending.resolve(readEnd(error));
  }

  /** Baileys waits for the server's goodbye, and keeps what could cut it short to itself. */
  #cut(): void {
    const socket: unknown = Reflect.get(this.#socket.ws, "socket");
    if (isTerminable(socket)) socket.terminate();
  }
}

function isTerminable(value: unknown): value is { terminate(): void } {
  return typeof value === "object" && value !== null && "terminate" in value;
}

/** Baileys says so before it has written anything. */
function saysClosed(error: unknown): boolean {
  return error instanceof Error && error.message === "Connection Closed";
}

const hourMs = 3_600_000;

function configOf(options: SocketOptions): UserFacingSocketConfig {
  const { auth, baseUrl, devices, keeper, log, timing } = options;
  const intake = new Intake(auth, keeper);
  const url = `${baseUrl.replace(/^http/, "ws")}/ws/chat`;
  // A stand-in signs its own certificates; the real server's are checked.
  const agent =
    baseUrl === officialUrl ? {} : { fetchAgent: new Agent({ rejectUnauthorized: false }) };
  return {
    ...agent,
    ...("fetchAgent" in agent && url.startsWith("wss:") ? { agent: agent.fetchAgent } : {}),
    waWebSocketUrl: url,
    auth: { creds: auth.creds, keys: auth.keys.forBaileys },
    logger: quietLogger(log),
    keepAliveIntervalMs: timing.keepAliveMs,
    defaultQueryTimeoutMs: 20_000,
    ...(timing.qrMs === undefined ? {} : { qrTimeout: timing.qrMs }),
    userDevicesCache: devices,
    msgRetryCounterCache: new BoundedCache({ lifetimeMs: hourMs, most: 1_000 }),
    placeholderResendCache: new BoundedCache({ lifetimeMs: hourMs, most: 1_000 }),
    callOfferCache: new BoundedCache({ lifetimeMs: hourMs / 12, most: 100 }),
    // The phone goes on telling its owner what comes in.
    markOnlineOnConnect: false,
    emitOwnEvents: false,
    syncFullHistory: false,
    // The first part tells which number belongs to which LID; the rest is of no use here and would be waited for.
    shouldSyncHistoryMessage: ({ syncType }) =>
      syncType === proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP,
    shouldIgnoreJid: (jid) => isJidStatusBroadcast(jid) || isJidNewsletter(jid),
    getMessage: async ({ id }) => {
      const bytes = await keeper.sentMessage(id ?? "");
      return bytes === null ? undefined : proto.Message.decode(bytes);
    },
    isMessageKept: ({ id, fromMe }) => intake.isKept({ id: id ?? "", own: fromMe === true }),
    keepMessage: (message, node) => intake.keepMessage(message, node),
    keepReceipt: (receipt) => intake.keepReceipt(receipt),
    makeSignalRepository: (given, logger, lidOf) => {
      const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(given, logger, lidOf);
      return intake.listenTo(repository);
    },
  };
}
