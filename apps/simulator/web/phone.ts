// The phone in the hand: the customer's, with the list of chats or one conversation, or the shop's.
import { chatList } from "./chat-list.ts";
import { composer } from "./composer.ts";
import { bubbles, conversationBar } from "./conversation.ts";
import { make } from "./dom.ts";
import { createLinkedDevices } from "./linked-devices.ts";
import type { Holder, Store } from "./store.ts";
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
  const holders = make("div", { class: "holders", attributes: { role: "group" } });
  const owner = make("p", { class: "owner" });
  const linkedDevices = createLinkedDevices(store);
  const device = make("section", {
    class: "device",
    children: [holders, owner, list, conversation, linkedDevices],
  });
  let shownChatId: string | null = null;

  const draw = (): void => {
    const chat = store.openChat;
    const isCustomers = store.holder === "customer";
    device.setAttribute("aria-label", `${word("phone")} · ${word(store.holder)}`);
    holders.setAttribute("aria-label", word("whosePhone"));
    holders.replaceChildren(holderButton(store, "customer"), holderButton(store, "shop"));
    owner.replaceChildren(...ownerLine(store));
    list.hidden = !isCustomers || chat !== null;
    conversation.hidden = !isCustomers || chat === null;
    linkedDevices.hidden = isCustomers;
    list.replaceChildren(...(chat ? [] : [chatList(store)]));
    if (chat) {
      stream.setAttribute("aria-label", `${word("conversation")} ${chat.name}`);
      bar.replaceChildren(conversationBar(store, chat));
      const [height, isReadingBack] = [stream.scrollHeight, stream.scrollTop < -80];
      messages.replaceChildren(...bubbles(store, chat));
      // It counts from the end: there it stays by itself, and what is read further up is held in its place.
      if (shownChatId !== chat.id) stream.scrollTop = 0;
      else if (isReadingBack) stream.scrollTop -= stream.scrollHeight - height;
    }
    shownChatId = chat?.id ?? null;
  };
  store.listen(
    (aspect) => (aspect === "chats" || aspect === "language" || aspect === "panel") && draw(),
  );
  draw();
  return device;
}

function holderButton(store: Store, holder: Holder): HTMLElement {
  return make("button", {
    class: "holder",
    text: word(holder),
    attributes: { type: "button", "aria-pressed": String(store.holder === holder) },
    onClick: () => store.hold(holder),
  });
}

/** The ids of the phone's owner that go into `to`, each with its app. */
function ownerLine({ owner, shop, holder }: Store): Node[] {
  if (!owner || !shop) return [];
  const id = (channel: "tg" | "wd", text: string): HTMLElement =>
    make("span", {
      class: "owner-app",
      children: [
        make("span", { text: word(channel) }),
        make("bdi", { class: "owner-id", text, attributes: { dir: "ltr" } }),
      ],
    });
  return holder === "shop"
    ? [id("wd", shop.number)]
    : [id("tg", String(owner.id)), id("wd", owner.number)];
}
