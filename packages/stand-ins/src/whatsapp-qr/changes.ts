// Tells listeners what happened in the stand-in, so that a phone can show it live.
import type { ChatMessage } from "./chat-message.ts";

/** One thing that happened. `phone` is whose screen changes; a chat is a number or the id of a group. */
export type WhatsAppWebChange =
  | { type: "message" | "update"; phone: string; chat: string; message: ChatMessage }
  | { type: "typing"; phone: string; chat: string; state: "composing" | "recording" | "paused" }
  | { type: "linked" | "unlinked" | "connected" | "disconnected"; phone: string; device: number };

/** The listeners of one stand-in. */
export class Changes {
  readonly #listeners = new Set<(change: WhatsAppWebChange) => void>();

  /** Calls the listener for each change from now on; the returned function ends it. */
  listen(listener: (change: WhatsAppWebChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(change: WhatsAppWebChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
