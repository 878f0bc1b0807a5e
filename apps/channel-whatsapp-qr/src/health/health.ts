// The health of an account: how fast it sends, whom it may write to first, and when it had better be silent.
import type { ConnectorContext } from "@thikaa/connector-kit";
import type { ConnectionReason, MessageReason, Outcome } from "@thikaa/schema";
import type { Condition } from "../condition.ts";
import type { SendingSettings } from "../credentials.ts";
import type { Refusal } from "../platform/errors.ts";
import { sleep } from "../waiting.ts";
import { FirstContacts } from "./first-contacts.ts";
import { Pace } from "./pace.ts";
import { Pauses } from "./pauses.ts";

type Context = Pick<ConnectorContext, "state" | "clock" | "log" | "signal">;

export class Health {
  readonly #context: Context;
  readonly #condition: Condition;
  readonly #pace: Pace | null;
  readonly #firstContacts: FirstContacts;
  readonly #pauses: Pauses;

  constructor(
    context: Context,
    condition: Condition,
    {
      paceMs,
      dailyFirstContacts,
      pauses = new Pauses(context),
    }: SendingSettings & { readonly pauses?: Pauses },
  ) {
    this.#context = context;
    this.#pauses = pauses;
    this.#condition = condition;
    this.#pace = paceMs.max === 0 ? null : new Pace({ minMs: paceMs.min, maxMs: paceMs.max });
    this.#firstContacts = new FirstContacts(context, dailyFirstContacts);
  }

  /** With the pauses that an earlier owner left. Rejects when the database is away. */
  static async load(
    context: Context,
    condition: Condition,
    settings: SendingSettings,
  ): Promise<Health> {
    return new Health(context, condition, { ...settings, pauses: await Pauses.load(context) });
  }

  /** Says that not everything may be sent, when that is so since before this process had the connection. */
  saySo(): void {
    const { reason } = this.#pauses;
    if (reason !== null && this.#pausedMs > 0) this.#limited(reason);
  }

  /** Resolves to `null` when a message may go now, else to why it has to wait. Rejects when the database is away. */
  async admit({ isFirst }: { isFirst: boolean }): Promise<Outcome | null> {
    const { tooMuch, noFirst } = this.#pauses;
    // The host waits by itself after a refusal; this is for a host that was not there.
    if (tooMuch.openMs > 0)
      return {
        ...wait(
          tooMuch.openMs,
          "sending_paused",
          "WhatsApp has refused to take more for now. Sending goes on by itself after a pause.",
        ),
        scope: "connection",
      };
    if (isFirst && noFirst.openMs > 0)
      return wait(
        noFirst.openMs,
        "first_contacts_paused",
        "New people are not written to for a while: WhatsApp has refused one. People who wrote first are.",
      );
    const turn = this.#pace?.take() ?? { waitMs: 0 };
    if ("backInMs" in turn)
      return wait(
        turn.backInMs,
        "paced",
        "This connection sends slowly, so that WhatsApp does not restrict the number. It is this message's turn later.",
      );
    // Counted last: who is counted is written to.
    const untilTomorrow = isFirst ? await this.#firstContacts.take() : 0;
    if (untilTomorrow > 0)
      return wait(
        untilTomorrow,
        "daily_first_contacts",
        "As many new people as this connection writes to in a day were written to. It goes on tomorrow.",
      );
    await sleep(turn.waitMs, this.#context.signal);
    return null;
  }

  /** WhatsApp took a message. */
  taken({ isFirst }: { isFirst: boolean }): void {
    this.#pauses.passed({ isFirst });
  }

  /** WhatsApp refused a message: what comes of it, here and for what follows. */
  refused(refusal: Refusal): Outcome {
    const { kind, reason } = refusal;
    if (kind === "too_much") {
      const retryAfterMs = this.#pauses.tooMuch.trip();
      this.#pauses.made(reason);
      this.#context.log.warn({ reason: reason.code, retryAfterMs }, "sending is paused");
      return { class: "throttled", scope: "connection", retryAfterMs, reason };
    }
    if (kind === "no_first_contacts") {
      this.#pauseFirstContacts(reason);
      return { class: "rejected", reason };
    }
    return { class: kind === "rejected" ? "rejected" : "unavailable", reason };
  }

  /** Resolves when the next owner can know what this one knows. */
  settled(): Promise<void> {
    return this.#pauses.settled();
  }

  #pauseFirstContacts({ code, message }: MessageReason): void {
    const pausedMs = this.#pauses.noFirst.trip();
    this.#pauses.made({ code, message });
    this.#context.log.warn({ reason: code, pausedMs }, "new people are not written to for a while");
    this.#limited({ code, message });
  }

  #limited(reason: ConnectionReason): void {
    this.#condition.limited(reason);
    void this.#untilOver();
  }

  async #untilOver(): Promise<void> {
    const { signal } = this.#context;
    while (this.#pausedMs > 0 && !signal.aborted) await sleep(this.#pausedMs, signal);
    if (!signal.aborted) this.#condition.limited(null);
  }

  /** Until everything may be sent again. */
  get #pausedMs(): number {
    return Math.max(this.#pauses.tooMuch.openMs, this.#pauses.noFirst.openMs);
  }
}

function wait(
  waitMs: number,
  code: string,
  message: string,
): Extract<Outcome, { class: "throttled" }> {
  return {
    class: "throttled",
    scope: "recipient",
    retryAfterMs: Math.ceil(waitMs),
    reason: { code, message, provider_code: null, provider_message: null },
  };
}
