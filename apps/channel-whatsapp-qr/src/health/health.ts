// The health of an account: how fast it sends, whom it may write to first, and when it had better be silent.
import type { ConnectorContext } from "@thikaa/connector-kit";
import type { MessageReason, Outcome } from "@thikaa/schema";
import type { Condition } from "../condition.ts";
import type { SendingSettings } from "../credentials.ts";
import type { Refusal } from "../platform/errors.ts";
import { sleep } from "../waiting.ts";
import { Breaker } from "./breaker.ts";
import { FirstContacts } from "./first-contacts.ts";
import { Pace } from "./pace.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export class Health {
  readonly #context: Pick<ConnectorContext, "state" | "clock" | "log" | "signal">;
  readonly #condition: Condition;
  readonly #pace: Pace | null;
  readonly #firstContacts: FirstContacts;
  readonly #tooMuch = new Breaker({ firstMs: minuteMs, lastMs: hourMs });
  readonly #noFirst = new Breaker({ firstMs: hourMs, lastMs: 24 * hourMs });

  constructor(
    context: Pick<ConnectorContext, "state" | "clock" | "log" | "signal">,
    condition: Condition,
    { paceMs, dailyFirstContacts }: SendingSettings,
  ) {
    this.#context = context;
    this.#condition = condition;
    this.#pace = paceMs.max === 0 ? null : new Pace({ minMs: paceMs.min, maxMs: paceMs.max });
    this.#firstContacts = new FirstContacts(context, dailyFirstContacts);
  }

  /** Resolves to `null` when a message may go now, else to why it has to wait. Rejects when the database is away. */
  async admit({ isFirst }: { isFirst: boolean }): Promise<Outcome | null> {
    if (isFirst && this.#noFirst.openMs > 0)
      return wait(
        this.#noFirst.openMs,
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
    this.#tooMuch.passed();
    if (isFirst) this.#noFirst.passed();
  }

  /** WhatsApp refused a message: what comes of it, here and for what follows. */
  refused(refusal: Refusal): Outcome {
    const { kind, reason } = refusal;
    if (kind === "too_much") {
      const retryAfterMs = this.#tooMuch.trip();
      this.#context.log.warn({ reason: reason.code, retryAfterMs }, "sending is paused");
      return { class: "throttled", scope: "connection", retryAfterMs, reason };
    }
    if (kind === "no_first_contacts") {
      this.#pauseFirstContacts(reason);
      return { class: "rejected", reason };
    }
    return { class: kind === "rejected" ? "rejected" : "unavailable", reason };
  }

  #pauseFirstContacts({ code, message }: MessageReason): void {
    const pausedMs = this.#noFirst.trip();
    const { log, signal } = this.#context;
    log.warn({ reason: code, pausedMs }, "new people are not written to for a while");
    this.#condition.limited({ code, message });
    void sleep(pausedMs, signal).then(() => {
      if (!signal.aborted && this.#noFirst.openMs === 0) this.#condition.limited(null);
    });
  }
}

function wait(waitMs: number, code: string, message: string): Outcome {
  return {
    class: "throttled",
    scope: "recipient",
    retryAfterMs: Math.ceil(waitMs),
    reason: { code, message, provider_code: null, provider_message: null },
  };
}
