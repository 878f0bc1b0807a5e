// The phone's second screen, without the box to write in: its bar and the bubbles of one chat.
import { bubble } from "./bubble.ts";
import { avatar, channelMark } from "./chat-list.ts";
import { icon, make } from "./dom.ts";
import { act } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { PhoneChat } from "./types.ts";
import { dayName, word } from "./words.ts";

/** The bar on top: back, who, and what they are doing. */
export function conversationBar(store: Store, chat: PhoneChat): HTMLElement {
  const typing = store.isTyping(chat.id);
  return make("header", {
    class: "phone-bar",
    children: [
      make("button", {
        class: "icon-button",
        attributes: { type: "button", "aria-label": word("back") },
        onClick: () => store.open(null),
        children: [icon("back", "mirrored")],
      }),
      avatar(chat),
      make("div", {
        class: "chat-texts",
        children: [
          make("h2", { class: "chat-name", text: chat.name, attributes: { dir: "auto" } }),
          make("div", {
            class: "chat-second",
            children: [
              channelMark(chat),
              typing
                ? make("span", { class: "chat-preview typing", text: word("typing") })
                : make("bdi", {
                    class: "chat-preview",
                    text: chat.handle,
                    attributes: { dir: "ltr" },
                  }),
            ],
          }),
        ],
      }),
      chat.abilities.includes("block") ? blockButton(chat) : null,
    ],
  });
}

function blockButton({ id, blocked }: PhoneChat): HTMLElement {
  return make("button", {
    class: "text-button",
    text: word(blocked ? "unblock" : "block"),
    attributes: { type: "button" },
    onClick: () => void act("block", { chat: id, blocked: !blocked }).catch(complain),
  });
}

/** The bubbles, oldest first, with a line for each day. */
export function bubbles(store: Store, chat: PhoneChat): Node[] {
  if (chat.messages.length === 0) return [make("p", { class: "notice", text: word("noMessages") })];
  const nodes: Node[] = [];
  let day = "";
  for (const message of chat.messages) {
    const name = dayName(message.sentAt);
    if (name !== day) nodes.push(make("p", { class: "day", text: name }));
    day = name;
    nodes.push(bubble(store, chat, message));
  }
  if (chat.blocked) nodes.push(make("p", { class: "notice", text: word("blocked") }));
  return nodes;
}
