// The phone: the list of chats or one conversation, redrawn as messages come.
import { chatList } from "./chat-list.ts";
import { composer } from "./composer.ts";
import { bubbles, conversationBar } from "./conversation.ts";
import { make } from "./dom.ts";
import type { Store } from "./store.ts";
import { word } from "./words.ts";

/** Makes the phone and keeps it up to date. */
export function createPhone(store: Store): HTMLElement {
  const messages = make("div", { class: "messages" });
  const stream = make("div", {
    class: "stream",
    children: [messages],
    attributes: { role: "log", "aria-live": "polite", tabindex: "0" },
  });
  const bar = make("div");
  const conversation = make("div", { class: "screen", children: [bar, stream, composer(store)] });
  const list = make("div", { class: "screen-holder" });
  const owner = make("p", { class: "owner" });
  const device = make("section", { class: "device", children: [owner, list, conversation] });
  let shownBotId: number | null = null;

  const draw = (): void => {
    const chat = store.openChat;
    device.setAttribute("aria-label", `${word("phone")} · ${word("customer")}`);
    owner.replaceChildren(...ownerLine(store));
    list.hidden = chat !== null;
    conversation.hidden = chat === null;
    list.replaceChildren(...(chat ? [] : [chatList(store)]));
    if (chat) {
      stream.setAttribute("aria-label", `${word("conversation")} ${chat.name}`);
      bar.replaceChildren(conversationBar(store, chat));
      const [height, isReadingBack] = [stream.scrollHeight, stream.scrollTop < -80];
      messages.replaceChildren(...bubbles(store, chat));
      // It counts from the end: there it stays by itself, and what is read further up is held in its place.
      if (shownBotId !== chat.botId) stream.scrollTop = 0;
      else if (isReadingBack) stream.scrollTop -= stream.scrollHeight - height;
    }
    shownBotId = chat?.botId ?? null;
  };
  store.listen(
    (aspect) => (aspect === "chats" || aspect === "language" || aspect === "panel") && draw(),
  );
  draw();
  return device;
}

/** Whose phone it is, with the id that goes into `to`. */
function ownerLine(store: Store): Node[] {
  if (!store.owner) return [];
  const { id, username } = store.owner;
  return [
    make("strong", { text: word("customer") }),
    make("bdi", { text: `@${username}`, attributes: { dir: "ltr" } }),
    make("bdi", { class: "owner-id", text: String(id) }),
  ];
}
