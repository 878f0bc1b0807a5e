// Tells listeners what happened in the stand-in, so that a phone can show it live.
import type { WireMessage } from "./wire.ts";

/** A message as it lies in a chat. */
export interface StoredMessage {
  author: "person" | "bot";
  wire: WireMessage;
  /** The person's reaction to it; null after it was taken back. */
  reaction?: string | null;
  /** The bot's. */
  botReaction?: string | null;
}

/** One thing that happened. Messages come as they lie in the chat. */
export type TelegramChange =
  | {
      type: "message" | "edit" | "delete" | "reaction";
      botId: number;
      personId: number;
      message: StoredMessage;
    }
  | { type: "typing"; botId: number; personId: number; action: string }
  | { type: "block"; botId: number; personId: number; blocked: boolean }
  | { type: "bot"; botId: number };

/** The listeners of one stand-in. */
export class Changes {
  readonly #listeners = new Set<(change: TelegramChange) => void>();

  /** Calls the listener for each change from now on; the returned function ends it. */
  listen(listener: (change: TelegramChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(change: TelegramChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
