// A channel of paper phones, for tests of pairing: a connector with the pairing facet, whose phones scan and type what the test read off a screen.
import { ConnectionFault, NotPaired } from "@thikaa/connector-kit";
import type { Connector, ConnectorContext, PairingDesk, ShownCode } from "@thikaa/connector-kit";
import type { ChannelCode, Converted } from "@thikaa/schema";
import { z } from "zod";

const words = (en: string, ar: string) => ({ en, ar });

/** What its pages and terminals say, to be looked for. */
export const paperPairing = {
  notice: words(
    "Paper phones are not official. They may cost you the number.",
    "هواتف الورق ليست رسمية، وقد تخسر الرقم بسببها.",
  ),
  scanSteps: [
    words("Unfold the phone.", "افرد الهاتف."),
    words("Press it on the code.", "اضغطه على الرمز."),
  ],
  typeSteps: [words("Write the code on the phone.", "اكتب الرمز على الهاتف.")],
  reasons: {
    wrong_phone: words("This is another phone.", "هذا هاتف آخر."),
    qr_expired: words("Nobody scanned the code in time.", "لم يمسح أحد الرمز في الوقت المحدد."),
  },
};

const reasonOf = (code: keyof typeof paperPairing.reasons) =>
  new ConnectionFault({
    state: "attention",
    reason: { code, message: paperPairing.reasons[code].en },
  });

const linkedKey = "number";

/** One for a house of a test. */
export class PaperPhones {
  /** Milliseconds that a code to scan lasts, and how many there are. */
  codeMs = 20_000;
  codes = 6;
  readonly #channel: ChannelCode;
  /** Pairings under way, by what they show now. */
  readonly #shown = new Map<string, (number: string) => void>();
  #made = 0;

  constructor(channel: ChannelCode) {
    this.#channel = channel;
  }

  /** The phone of this number scans or types what is on a screen. `false` when nobody shows that now. */
  use(text: string, number: string): boolean {
    const link = this.#shown.get(text);
    link?.(number);
    return link !== undefined;
  }

  get connector(): Connector {
    return {
      channels: [this.#channel],
      capabilities: {
        [this.#channel]: {
          text: { maxLength: 100, unit: "utf16" },
          media: [],
          receipts: "none",
          firstMessage: true,
          windowHours: null,
        },
      },
      credentials: {
        values: z
          .object({ phone: z.string().optional() })
          .transform((given) => ({ ...given }) as Record<string, string>),
        fields: [
          {
            name: "phone",
            level: "connection",
            label: words("Number", "الرقم"),
            help: words("The only phone that may be linked.", "الهاتف الوحيد الذي يجوز ربطه."),
            secret: false,
            required: false,
          },
        ],
      },
      plan: () => [{ n: 1, payload: {} }],
      connect: async (context) => {
        const number = (await context.state.get([linkedKey])).get(linkedKey);
        if (number === undefined) throw new NotPaired();
        await context.identify({ address: number, name: "Paper", link: null });
        return {
          send: ({ messageId }) => Promise.resolve({ class: "sent", providerMessageId: messageId }),
          disconnect: () => Promise.resolve(),
        };
      },
      pairing: { description: paperPairing, pair: (context, desk) => this.#pair(context, desk) },
      convert: (): Converted => ({ kind: "notice", reason: "paper", raw_type: null }),
    };
  }

  async #pair(context: ConnectorContext, desk: PairingDesk): Promise<void> {
    const { state, credentials, signal } = context;
    if ((await state.get([linkedKey])).has(linkedKey)) return;
    const number = await this.#untilUsed(desk, signal);
    const meant = credentials.values["phone"];
    if (meant !== undefined && meant !== number) throw reasonOf("wrong_phone");
    await context.identify({ address: number, name: "Paper", link: null });
    await state.set({ [linkedKey]: number });
  }

  /** Shows one code after the other until one is used; gives the number of the phone. */
  async #untilUsed(desk: PairingDesk, signal: AbortSignal): Promise<string> {
    for (let left = desk.phone === null ? this.codes : 1; left > 0; left--) {
      const number = await this.#showOne(desk, signal);
      if (number !== null) return number;
    }
    throw reasonOf("qr_expired");
  }

  #showOne(desk: PairingDesk, signal: AbortSignal): Promise<string | null> {
    const expiresAt = new Date(Date.now() + this.codeMs);
    const shown: ShownCode =
      desk.phone === null
        ? { kind: "qr", text: this.#newText(), expiresAt }
        : { kind: "code", code: `PAPER${String(++this.#made).padStart(3, "0")}`, expiresAt };
    const text = shown.kind === "qr" ? shown.text : shown.code;
    return new Promise<string | null>((resolve, reject) => {
      setTimeout(() => resolve(null), this.codeMs).unref();
      signal.addEventListener("abort", () => reject(new Error("let go")), { once: true });
      this.#shown.set(text, resolve);
      desk.show(shown);
    }).finally(() => this.#shown.delete(text));
  }

  /** As long as a real one, so that the drawing is as fine. */
  #newText(): string {
    return `paper@${++this.#made},${"k7Zq+/3u".repeat(28)}`;
  }
}
