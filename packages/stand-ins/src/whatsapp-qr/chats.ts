// The chats as the screens of the phones show them: one list for both sides.
import type { Changes } from "./changes.ts";
import type { ChatMessage } from "./chat-message.ts";

const RANKS = { sent: 0, delivered: 1, read: 2 } as const;
/** Messages kept in each chat; the oldest go first, so that a sandbox can run for months. */
const MOST_MESSAGES = 5_000;

/** All chats of one stand-in. */
export class Chats {
  readonly #changes: Changes;
  readonly #members: (group: string) => readonly string[];
  readonly #chats = new Map<string, Map<string, ChatMessage>>();

  constructor(changes: Changes, members: (group: string) => readonly string[]) {
    this.#changes = changes;
    this.#members = members;
  }

  /** Puts a message into its chat. One that lies there already keeps its place and takes content that it lacked. */
  add(
    message: Pick<
      ChatMessage,
      "messageId" | "from" | "device" | "to" | "at" | "content" | "replyTo"
    >,
  ): ChatMessage {
    const chat = this.#chat(message.from, message.to);
    const known = chat.get(message.messageId);
    if (known !== undefined) {
      if (known.content === null && message.content !== null && !known.deleted) {
        Object.assign(known, { content: message.content, replyTo: message.replyTo });
        this.#tell("update", known);
      }
      return known;
    }
    const added: ChatMessage = {
      ...message,
      edited: false,
      deleted: false,
      reaction: null,
      ownReaction: null,
      status: "sent",
    };
    chat.set(added.messageId, added);
    for (const oldest of chat.keys()) {
      if (chat.size <= MOST_MESSAGES) break;
      chat.delete(oldest);
    }
    this.#tell("message", added);
    return added;
  }

  /** Changes a message of a chat; nothing happens when it is not there. */
  change(
    between: { from: string; to: string; messageId: string },
    change: Partial<ChatMessage>,
  ): void {
    const message = this.#chat(between.from, between.to).get(between.messageId);
    if (message === undefined) return;
    Object.assign(message, change);
    this.#tell("update", message);
  }

  /** Moves the status of messages on; never back. */
  receipt(
    between: { from: string; to: string; messageIds: readonly string[] },
    status: ChatMessage["status"],
  ): void {
    for (const messageId of between.messageIds) {
      const message = this.#chat(between.from, between.to).get(messageId);
      if (message !== undefined && RANKS[message.status] < RANKS[status])
        this.change({ ...between, messageId }, { status });
    }
  }

  /** A chat, oldest first. */
  list(phone: string, chat: string): ChatMessage[] {
    return [...this.#chat(phone, chat).values()];
  }

  /** A message of any chat of the phone, or null. */
  find(phone: string, messageId: string): ChatMessage | null {
    for (const chat of this.#chats.values()) {
      const message = chat.get(messageId);
      if (message !== undefined && this.#screens(message).some(([screen]) => screen === phone))
        return message;
    }
    return null;
  }

  #chat(one: string, other: string): Map<string, ChatMessage> {
    const key = other.endsWith("@g.us") ? other : [one, other].toSorted().join("/");
    const chat = this.#chats.get(key) ?? new Map<string, ChatMessage>();
    this.#chats.set(key, chat);
    return chat;
  }

  #tell(type: "message" | "update", message: ChatMessage): void {
    for (const [phone, chat] of this.#screens(message))
      this.#changes.emit({ type, phone, chat, message });
  }

  /** Whose screens show it, and under which chat. */
  #screens({ from, to }: ChatMessage): [phone: string, chat: string][] {
    if (to.endsWith("@g.us")) return this.#members(to).map((member) => [member, to]);
    return [
      [from, to],
      [to, from],
    ];
  }
}
