// Opens one linked device: logs in and stays.
import type {
  ConnectedAccount,
  ConnectorContext,
  MediaFacet,
  OutboundPart,
  PollingFacet,
  TypingFacet,
} from "@thikaa/connector-kit";
import { NotPaired } from "@thikaa/connector-kit";
import { Condition } from "./condition.ts";
import { expectedNumber, sendingSettings } from "./credentials.ts";
import { Health } from "./health/health.ts";
import { readRecipient } from "./ids.ts";
import { claim } from "./link-device.ts";
import { LinkedDevice } from "./linked-device.ts";
import { whatsAppMedia } from "./media.ts";
import { sendPart } from "./outbound/send.ts";
import type { PartSender } from "./outbound/send.ts";
import type { ProcessLimits } from "./process-limits.ts";
import { reasonOf } from "./reasons.ts";
import { Recipients } from "./recipients.ts";
import { Session } from "./session.ts";
import type { Timing } from "./timing.ts";
import { banFault } from "./verdict-fault.ts";

/** What all connections of a process share. */
export interface Shared {
  readonly timing: Timing;
  readonly limits: ProcessLimits;
}

/** Throws `NotPaired`, and `ConnectionFault`: WhatsApp refuses the device, the phone belongs to another connection, or WhatsApp can't be reached. */
export async function connect(
  context: ConnectorContext,
  { timing, limits }: Shared,
): Promise<ConnectedAccount> {
  const device = await LinkedDevice.load(context);
  await device.forgetOld(timing.quarantineMs);
  const auth = await device.auth(() => undefined);
  if (!auth.isPaired)
    throw device.number === null ? new NotPaired() : new NotPaired(reasonOf("logged_out"));
  const expected = expectedNumber(context.credentials.values);
  // The process ended between the scan and its claim.
  if (device.number === null) await claim({ context, device, timing, expected }, auth);
  const { ban } = device;
  if (ban !== null) throw banFault(ban, context.clock().getTime());
  const leave = limits.enter();
  try {
    const condition = new Condition(context);
    const settings = sendingSettings(context.credentials.values);
    const health = await Health.load(context, condition, settings);
    const session = new Session({ context, condition, device, timing });
    await limits.opened(() => session.start(), context.signal);
    return new WhatsAppAccount(context, { session, health, leave });
  } catch (error) {
    leave();
    throw error;
  }
}

class WhatsAppAccount implements ConnectedAccount {
  /** A socket is not polled: this is how the host learns that a person is needed. */
  readonly polling: PollingFacet;
  readonly typing: TypingFacet;
  readonly media: MediaFacet;
  readonly #session: Session;
  readonly #sender: PartSender;
  readonly #leave: () => void;

  constructor(
    context: ConnectorContext,
    { session, health, leave }: { session: Session; health: Health; leave: () => void },
  ) {
    this.#session = session;
    this.#leave = leave;
    this.#sender = {
      context,
      session,
      health,
      recipients: new Recipients(context),
    };
    this.media = whatsAppMedia(session, context.baseUrl);
    this.typing = { show: (to) => this.#showTyping(to) };
    this.polling = { poll: (signal) => this.#end(signal), committed: () => undefined };
  }

  send(part: OutboundPart): ReturnType<ConnectedAccount["send"]> {
    return sendPart(part, this.#sender);
  }

  /** Only what this process holds open ends: the phone stays linked. */
  async disconnect(): Promise<void> {
    await this.#session.close();
    await this.#sender.health.settled();
    this.#leave();
  }

  async #end(signal: AbortSignal): Promise<[]> {
    // The host has said by now that the connection is open.
    this.#sender.health.saySo();
    const ended = Promise.withResolvers<[]>();
    signal.addEventListener("abort", () => ended.resolve([]), { once: true });
    void this.#session.needsPerson.then(ended.reject);
    return ended.promise;
  }

  async #showTyping(to: string): Promise<void> {
    const person = readRecipient(to);
    const open = await this.#session.socket();
    if (person === null || open === null) return;
    const found = await this.#sender.recipients.find(person, open.socket);
    if (found.kind === "known") await open.socket.showTyping(found.jid);
  }
}
