// What the page knows, kept up to date by the server's events, and who wants to hear of changes.
import type {
  LoggedDelivery,
  PageState,
  PhoneChange,
  PhoneChat,
  PhoneMessage,
  PhoneOwner,
  ShopPhoneState,
} from "./types.ts";

/** What changed, so that a view redraws only for what it shows. */
export type Aspect = "chats" | "deliveries" | "language" | "panel" | "live" | "draft" | "shop";

/** What the next words are for: an answer to a message, or another text for it. */
export interface Draft {
  kind: "reply" | "edit";
  message: PhoneMessage;
}

/** The panels of a narrow page. */
export type Panel = "phone" | "webhooks";

/** Whose phone is held. */
export type Holder = "customer" | "shop";

const MOST_DELIVERIES = 200;
const TYPING_MS = 5000;

/** The state of the page. */
export class Store {
  owner: PhoneOwner | null = null;
  chats: PhoneChat[] = [];
  deliveries: LoggedDelivery[] = [];
  openChatId: string | null = null;
  shop: ShopPhoneState | null = null;
  holder: Holder = "customer";
  draft: Draft | null = null;
  panel: Panel = "phone";
  live = false;
  newDeliveries = 0;
  readonly unread = new Map<string, number>();
  readonly #typing = new Map<string, number>();
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
    this.shop = state.shop;
    this.deliveries = state.deliveries;
    this.openChatId ??= chatOfAddress(state.chats);
    this.changed("chats");
    this.changed("shop");
    this.changed("deliveries");
  }

  get openChat(): PhoneChat | null {
    return this.chats.find((chat) => chat.id === this.openChatId) ?? null;
  }

  /** The next words answer or change a message; `null` makes them plain ones again. */
  begin(draft: Draft | null): void {
    this.draft = draft;
    this.changed("draft");
  }

  /** Opens a chat, or with `null` the list; the page's address says which, so that it opens there again. */
  open(id: string | null): void {
    this.openChatId = id;
    this.begin(null);
    if (id !== null) this.unread.delete(id);
    history.replaceState(null, "", id === null ? location.pathname : `#${id}`);
    this.changed("chats");
  }

  show(panel: Panel): void {
    this.panel = panel;
    if (panel === "webhooks") this.newDeliveries = 0;
    this.changed("panel");
  }

  /** Takes the customer's phone into the hand, or the shop's. */
  hold(holder: Holder): void {
    this.holder = holder;
    this.changed("shop");
    this.changed("chats");
  }

  setShop(state: ShopPhoneState): void {
    this.shop = state;
    this.changed("shop");
  }

  isTyping(id: string): boolean {
    return this.#typing.has(id);
  }

  addDelivery(delivery: LoggedDelivery): void {
    if (this.deliveries.some((known) => known.n === delivery.n)) return;
    this.deliveries = [delivery, ...this.deliveries].slice(0, MOST_DELIVERIES);
    if (this.panel !== "webhooks") this.newDeliveries += 1;
    this.changed("deliveries");
  }

  apply(change: PhoneChange): void {
    if (change.type === "chat") {
      this.#applyChat(change.chat);
    } else if (change.type === "typing") {
      if (change.active) this.#startTyping(change.chat);
      else this.#stopTyping(change.chat);
    } else {
      const chat = this.chats.find(({ id }) => id === change.chat);
      if (!chat) return;
      if (change.type === "blocked") chat.blocked = change.blocked;
      else this.#applyMessage(chat, change);
    }
    this.changed("chats");
  }

  #applyMessage(
    chat: PhoneChat,
    { type, message }: { type: "message" | "change" | "delete"; message: PhoneMessage },
  ): void {
    const place = chat.messages.findIndex(({ id }) => id === message.id);
    if (type === "delete") chat.messages = chat.messages.filter(({ id }) => id !== message.id);
    else if (place < 0) chat.messages = [...chat.messages, message];
    else chat.messages = chat.messages.with(place, message);
    if (type === "message" && place < 0 && message.author === "shop") this.#notice(chat.id);
  }

  /** A chat that begins; its first messages are news. */
  #applyChat(chat: PhoneChat): void {
    this.chats = [...this.chats.filter(({ id }) => id !== chat.id), chat];
    if (chat.messages.at(-1)?.author === "shop") this.#notice(chat.id);
  }

  #notice(id: string): void {
    this.#stopTyping(id);
    if (id !== this.openChatId) this.unread.set(id, (this.unread.get(id) ?? 0) + 1);
  }

  #startTyping(id: string): void {
    clearTimeout(this.#typing.get(id));
    const end = (): void => {
      this.#stopTyping(id);
      this.changed("chats");
    };
    this.#typing.set(id, window.setTimeout(end, TYPING_MS));
  }

  #stopTyping(id: string): void {
    clearTimeout(this.#typing.get(id));
    this.#typing.delete(id);
  }
}

/** The chat that the page's address names; without one the only chat there is. */
function chatOfAddress(chats: readonly PhoneChat[]): string | null {
  const named = chats.find(({ id }) => `#${id}` === location.hash);
  const [only, second] = chats;
  return named?.id ?? (second === undefined ? (only?.id ?? null) : null);
}
