// The session of one linked device: its socket, opened again by the table of verdicts, until it is closed or a person is needed.
import type { ConnectionFault, ConnectorContext } from "@thikaa/connector-kit";
import { OwnershipLost } from "@thikaa/connector-kit";
import type { Condition } from "./condition.ts";
import { Keeping } from "./keeping.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { AuthState } from "./platform/auth-state.ts";
import { DeviceCache } from "./platform/device-cache.ts";
import { WhatsAppSocket } from "./platform/socket.ts";
import type { SocketEnd } from "./platform/socket-end.ts";
import type { Timing } from "./timing.ts";
import { identityOf } from "./identity.ts";
import { readJid } from "./ids.ts";
import { reasonOf } from "./reasons.ts";
import { storeFailed, verdictOf } from "./verdicts.ts";
import { faultOf } from "./verdict-fault.ts";
import type { Verdict } from "./verdicts.ts";
import { sleep, within } from "./waiting.ts";

/** A session that can be used now. */
export interface OpenSocket {
  readonly socket: WhatsAppSocket;
  readonly keeping: Keeping;
  readonly auth: AuthState;
}

export interface SessionOptions {
  readonly context: ConnectorContext;
  readonly condition: Condition;
  readonly device: LinkedDevice;
  readonly timing: Timing;
}

/** A second replacement within this time is no accident. */
const replacedAgainMs = 10 * 60_000;
/** Open for so long, it counts as well, and the backoff begins anew. */
const settledMs = 60_000;
const watchMs = 1_000;
/** So many tries without a session that lasts, some minutes in all, and the operator is to hear of it. */
const alarmAfter = 8;

export class Session {
  /** Why a person is needed; `null` as long as none is. */
  person: ConnectionFault | null = null;
  /** Resolves when a person is needed; never otherwise. */
  readonly needsPerson: Promise<ConnectionFault>;
  readonly #options: SessionOptions;
  readonly #devices = new DeviceCache();
  readonly #closing = new AbortController();
  /** Aborts when no further socket may be opened. */
  readonly #over: AbortSignal;
  readonly #person = Promise.withResolvers<ConnectionFault>();
  /** The one socket there is, open or on its way. */
  #current: OpenSocket | null = null;
  #reopened = Promise.withResolvers<void>();
  /** Between the opening of a socket and the word that it ended. */
  #isUp = false;
  #storeFault: Error | null = null;
  #replacedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.needsPerson = this.#person.promise;
    this.#over = AbortSignal.any([this.#closing.signal, options.context.signal]);
    this.#over.addEventListener("abort", () => this.#drop("closing"), { once: true });
  }

  /** Opens it, and keeps it open from then on. Throws `ConnectionFault` when it can't be opened now. */
  async start(): Promise<void> {
    for (;;) {
      const opened = await this.#open();
      if (!("code" in opened)) return void (this.#running = this.#stay(opened));
      this.#over.throwIfAborted();
      if (this.#storeFault !== null) throw this.#storeFault;
      const verdict = await this.#judge(opened);
      if (verdict.kind !== "again") throw faultOf(verdict);
    }
  }

  /** The socket, as soon as it is open; `null` when it does not come back in time. */
  async socket(): Promise<OpenSocket | null> {
    await this.#untilUsable(this.#options.timing.sendWaitMs);
    return this.#usable;
  }

  /** Why a person is needed; `null` when none is, or when the session, if it broke just now, has not said so in time. */
  async verdict(withinMs: number): Promise<ConnectionFault | null> {
    await this.#untilUsable(withinMs);
    return this.person;
  }

  /** Which devices a person has is asked for anew, the next time. */
  forgetDevices(jid: string): void {
    this.#devices.del(readJid(jid)?.user ?? "");
  }

  /** Something shows that the session is of no use though its socket is open: it is opened anew. */
  suspect(why: string): void {
    this.#options.context.log.warn({ why }, "a session is opened anew");
    this.#drop(why);
  }

  /** Closes it; resolves when the socket is closed, so that another process may open one. Never throws. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#current?.socket.ended;
    await this.#running;
  }

  get #usable(): OpenSocket | null {
    return this.#current?.socket.isOpen === true ? this.#current : null;
  }

  /** Waits for the next socket, or for the word that there will be none, at most so long. */
  async #untilUsable(mostMs: number): Promise<void> {
    if (this.#usable !== null) return;
    // What broke may not know it yet.
    const broken = this.#isUp ? this.#current?.socket.ended : undefined;
    const next = async () => {
      await broken;
      await Promise.race([this.needsPerson, this.#reopened.promise]);
    };
    await within(mostMs, next());
  }

  #drop(why: string): void {
    void this.#current?.socket.end(why);
  }

  /** Whenever the socket ends, another one follows. Never rejects. */
  async #stay(first: OpenSocket): Promise<void> {
    for (let now: OpenSocket | SocketEnd = first; ;) {
      const end: SocketEnd = "code" in now ? now : await this.#watch(now);
      if (this.#over.aborted) return;
      const verdict = await this.#judge(end).catch(() => verdictOf(storeFailed, noPast));
      if (verdict.kind === "stop") {
        this.person = faultOf(verdict);
        return this.#person.resolve(this.person);
      }
      if (verdict.kind === "later") await this.#pause(verdict);
      if (this.#over.aborted) return;
      now = await this.#open().catch(() => storeFailed);
      if (!("code" in now)) this.#options.condition.up();
    }
  }

  async #pause(verdict: Extract<Verdict, { kind: "later" }>): Promise<void> {
    const { condition, context, timing } = this.#options;
    condition.down(verdict.state, reasonOf(verdict.reason, verdict.ban));
    if (this.#failures === alarmAfter)
      context.log.error({ reason: verdict.reason }, "a session does not come back; it is tried on");
    const { first, last } = timing.backoffMs;
    const backoff = Math.min(first * 2 ** this.#failures++, last) * (0.5 + Math.random() / 2);
    await sleep(Math.max(verdict.waitMs ?? 0, backoff), this.#over);
  }

  async #judge(end: SocketEnd): Promise<Verdict> {
    const { context, device, timing } = this.#options;
    const now = performance.now();
    context.log.info({ code: end.code, says: end.says }, "a socket to WhatsApp ended");
    const replacedBefore = now - this.#replacedAt < replacedAgainMs;
    const { replacedWaitMs } = timing;
    const at = context.clock().getTime();
    const verdict = verdictOf(end, { replacedBefore, replacedWaitMs, now: at });
    if (end.code === 440) this.#replacedAt = now;
    await device.judged(verdict);
    return verdict;
  }

  /** Opens a socket; gives how it ended when it ended before it was open. Rejects when the database is away or the connection has another owner. */
  async #open(): Promise<OpenSocket | SocketEnd> {
    const { context, device, timing } = this.#options;
    this.#storeFault = null;
    const auth = await device.auth((error) => this.#storeFailed(error));
    const keeping = await Keeping.load(context);
    // It also tells whether the connection is still ours: nobody else may have a socket of it.
    await context.identify(identityOf(auth)).catch((error: unknown) => {
      if (error instanceof OwnershipLost) this.#closing.abort();
      throw error;
    });
    if (this.#over.aborted) return closed;
    const socket = new WhatsAppSocket({
      auth,
      keeper: keeping,
      baseUrl: context.baseUrl,
      devices: this.#devices,
      log: context.log,
      timing,
      onQr: () => undefined,
    });
    this.#current = { socket, keeping, auth };
    const late = setTimeout(() => this.#drop("it took too long to open"), timing.openMs);
    const end = await Promise.race([socket.opened.then(() => null), socket.ended]);
    clearTimeout(late);
    if (end !== null) return this.#over.aborted || this.#storeFault === null ? end : storeFailed;
    // Failing that it ends like any session whose store fails.
    await device.accepted().catch((error: unknown) => this.#storeFailed(asError(error)));
    this.#isUp = true;
    this.#reopened.resolve();
    return this.#current;
  }

  /** Watches an open socket until it ends. */
  async #watch({ socket }: OpenSocket): Promise<SocketEnd> {
    const { condition, timing } = this.#options;
    const openedAt = performance.now();
    const timer = setInterval(() => {
      if (socket.silentMs > timing.keepAliveMs * 2) this.suspect("the server is silent");
      else if (socket.uneventfulMs > timing.uneventfulMs) this.suspect("nothing came for long");
    }, watchMs);
    const end = await socket.ended;
    clearInterval(timer);
    this.#isUp = false;
    this.#reopened = Promise.withResolvers();
    if (!this.#over.aborted) condition.down("recovering", reasonOf("reconnecting"));
    if (performance.now() - openedAt > settledMs) this.#failures = 0;
    return this.#storeFault === null ? end : storeFailed;
  }

  /** What the socket goes on with may not be what is kept: it ends. */
  #storeFailed(error: Error): void {
    this.#storeFault ??= error;
    if (error instanceof OwnershipLost) this.#closing.abort();
    this.#drop("the store failed");
  }
}

const noPast = { replacedBefore: false, now: 0 };
const closed: SocketEnd = { code: 428, says: "closing", deviceRemoved: false, expires: null };

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("the store failed", { cause: error });
}
