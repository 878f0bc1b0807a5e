// The server's word on each message and mark of reading that was sent to it: taken, refused, or none at all.
import type makeWASocket from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";

export type Acknowledgement =
  | { readonly kind: "taken" }
  /** `code` is WhatsApp's own number: 463, 479, 429… */
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "none" };

/** One message or mark of reading, about to be sent. */
export interface Expected {
  /** The server's word, at most so long after being asked for here. */
  answer(): Promise<Acknowledgement>;
  forget(): void;
}

export interface Acknowledgements {
  /** Begins to listen for the word on this message, or on the mark that names this message first. */
  expect(id: string, of?: "message" | "read"): Expected;
  /** There will be no more. */
  end(): void;
}

export function acknowledgements(
  { ws }: Pick<ReturnType<typeof makeWASocket>, "ws">,
  waitMs: number,
): Acknowledgements {
  const waiting = new Map<string, (answer: Acknowledgement) => void>();
  const hear = (of: "message" | "read", { attrs }: BinaryNode) => {
    const { id = "", error } = attrs;
    waiting.get(`${of}/${id}`)?.(
      error === undefined ? { kind: "taken" } : { kind: "refused", code: error },
    );
  };
  ws.on("CB:ack,class:message", (ack: BinaryNode) => hear("message", ack));
  // Receipts that say that a message arrived carry its id too, and are acknowledged as well.
  ws.on("CB:ack,class:receipt", (ack: BinaryNode) => {
    if (ack.attrs["type"]?.startsWith("read") !== false) hear("read", ack);
  });
  return {
    expect(messageId, of = "message") {
      const id = `${of}/${messageId}`;
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
