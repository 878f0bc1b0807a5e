// What the page knows, kept up to date by the server's events, and who wants to hear of changes.
import type {
  LoggedDelivery,
  PageState,
  PhoneChange,
  PhoneChat,
  PhoneMessage,
  PhoneOwner,
} from "./types.ts";

/** What changed, so that a view redraws only for what it shows. */
export type Aspect = "chats" | "deliveries" | "language" | "panel" | "live" | "draft";

/** What the next words are for: an answer to a message, or another text for it. */
export interface Draft {
  kind: "reply" | "edit";
  message: PhoneMessage;
}

/** The panels of a narrow page. */
export type Panel = "phone" | "webhooks";

const MOST_DELIVERIES = 200;
const TYPING_MS = 5000;

/** The state of the page. */
export class Store {
  owner: PhoneOwner | null = null;
  chats: PhoneChat[] = [];
  deliveries: LoggedDelivery[] = [];
  openBotId: number | null = null;
  draft: Draft | null = null;
  panel: Panel = "phone";
  live = false;
  newDeliveries = 0;
  readonly unread = new Map<number, number>();
  readonly #typing = new Map<number, number>();
  readonly #listeners = new Set<(aspect: Aspect) => void>();

  listen(listener: (aspect: Aspect) => void): void {
    this.#listeners.add(listener);
  }

  changed(aspect: Aspect): void {
    for (const listener of this.#listeners) listener(aspect);
  }

  /** Takes the whole state, at the start and after a lost connection. */
  load(state: PageState): void {
    this.owner = state.owner;
    this.chats = state.chats;
    this.deliveries = state.deliveries;
    const [only, second] = state.chats;
    if (this.openBotId === null && only && !second) this.openBotId = only.botId;
    this.changed("chats");
    this.changed("deliveries");
  }

  get openChat(): PhoneChat | null {
    return this.chats.find((chat) => chat.botId === this.openBotId) ?? null;
  }

  /** The next words answer or change a message; `null` makes them plain ones again. */
  begin(draft: Draft | null): void {
    this.draft = draft;
    this.changed("draft");
  }

  open(botId: number | null): void {
    this.openBotId = botId;
    this.begin(null);
    if (botId !== null) this.unread.delete(botId);
    this.changed("chats");
  }

  show(panel: Panel): void {
    this.panel = panel;
    if (panel === "webhooks") this.newDeliveries = 0;
    this.changed("panel");
  }

  isTyping(botId: number): boolean {
    return this.#typing.has(botId);
  }

  addDelivery(delivery: LoggedDelivery): void {
    if (this.deliveries.some((known) => known.n === delivery.n)) return;
    this.deliveries = [delivery, ...this.deliveries].slice(0, MOST_DELIVERIES);
    if (this.panel !== "webhooks") this.newDeliveries += 1;
    this.changed("deliveries");
  }

  apply(change: PhoneChange): void {
    if (change.type === "chat") {
      this.chats = [...this.chats.filter((chat) => chat.botId !== change.chat.botId), change.chat];
      if (this.openBotId === null && this.chats.length === 1) this.openBotId = change.chat.botId;
    } else if (change.type === "typing") {
      this.#startTyping(change.botId);
    } else {
      const chat = this.chats.find(({ botId }) => botId === change.botId);
      if (!chat) return;
      if (change.type === "blocked") chat.blocked = change.blocked;
      else this.#applyMessage(chat, change);
    }
    this.changed("chats");
  }

  #applyMessage(
    chat: PhoneChat,
    change: { type: "message" | "edit" | "delete"; message: PhoneMessage },
  ): void {
    const others = chat.messages.filter(({ id }) => id !== change.message.id);
    chat.messages =
      change.type === "delete"
        ? others
        : [...others, change.message].sort((one, other) => one.id - other.id);
    if (change.type !== "message" || change.message.author !== "bot") return;
    this.#stopTyping(chat.botId);
    if (chat.botId !== this.openBotId)
      this.unread.set(chat.botId, (this.unread.get(chat.botId) ?? 0) + 1);
  }

  #startTyping(botId: number): void {
    clearTimeout(this.#typing.get(botId));
    const end = (): void => {
      this.#stopTyping(botId);
      this.changed("chats");
    };
    this.#typing.set(botId, window.setTimeout(end, TYPING_MS));
  }

  #stopTyping(botId: number): void {
    clearTimeout(this.#typing.get(botId));
    this.#typing.delete(botId);
  }
}
