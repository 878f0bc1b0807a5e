// The server's word on each message that was sent to it: taken, refused, or none at all.
import type makeWASocket from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";

export type Acknowledgement =
  | { readonly kind: "taken" }
  /** `code` is WhatsApp's own number: 463, 479, 429… */
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "none" };

/** One message, about to be sent. */
export interface Expected {
  /** The server's word, at most so long after being asked for here. */
  answer(): Promise<Acknowledgement>;
  forget(): void;
}

export interface Acknowledgements {
  /** Begins to listen for the word on this message. */
  expect(id: string): Expected;
  /** There will be no more. */
  end(): void;
}

export function acknowledgements(
  { ws }: Pick<ReturnType<typeof makeWASocket>, "ws">,
  waitMs: number,
): Acknowledgements {
  const waiting = new Map<string, (answer: Acknowledgement) => void>();
  ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => {
    const { id = "", error } = attrs;
    waiting.get(id)?.(error === undefined ? { kind: "taken" } : { kind: "refused", code: error });
  });
  return {
    expect(id) {
      const { promise, resolve } = Promise.withResolvers<Acknowledgement>();
      let timer: NodeJS.Timeout | undefined;
      const settle = (answer: Acknowledgement) => {
        clearTimeout(timer);
        if (waiting.get(id) === settle) waiting.delete(id);
        resolve(answer);
      };
      waiting.set(id, settle);
      return {
        answer() {
          timer = setTimeout(() => settle({ kind: "none" }), waitMs);
          return promise;
        },
        forget: () => settle({ kind: "none" }),
      };
    },
    end() {
      for (const settle of waiting.values()) settle({ kind: "none" });
    },
  };
}
