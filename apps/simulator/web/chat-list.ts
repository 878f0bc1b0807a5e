// The phone's first screen: one line per chat, whichever app it is in.
import { icon, make } from "./dom.ts";
import type { Store } from "./store.ts";
import type { PhoneChat, PhoneMessage } from "./types.ts";
import { clockTime, count, word } from "./words.ts";

/** The list of chats, the last spoken in first. */
export function chatList(store: Store): HTMLElement {
  const chats = [...store.chats].sort((one, other) => lastTime(other).localeCompare(lastTime(one)));
  const header = make("header", {
    class: "phone-bar",
    children: [make("h2", { class: "phone-title", text: word("chats") })],
  });
  if (chats.length === 0) return make("div", { class: "screen", children: [header, empty()] });
  const list = make("ul", {
    class: "chat-list",
    children: chats.map((chat) => make("li", { children: [line(store, chat)] })),
  });
  return make("div", { class: "screen", children: [header, list] });
}

/** A round picture with the first letter of a name. */
export function avatar(chat: PhoneChat): HTMLElement {
  const letter = /[\p{L}\p{N}]/u.exec(chat.name)?.[0] ?? "?";
  return make("span", {
    class: `avatar hue-${Number(chat.id.at(-1)) % 5}`,
    text: letter,
    attributes: { "aria-hidden": "true" },
  });
}

/** Which app the chat is in. */
export function channelMark({ channel }: PhoneChat): HTMLElement {
  return make("span", { class: `channel ${channel}`, text: word(channel) });
}

function line(store: Store, chat: PhoneChat): HTMLElement {
  const last = chat.messages.at(-1);
  const unread = store.unread.get(chat.id) ?? 0;
  const preview = store.isTyping(chat.id)
    ? word("typing")
    : `${last?.author === "person" ? word("you") : ""}${last === undefined ? chat.handle : summaryOf(last)}`;
  const texts = make("span", {
    class: "chat-texts",
    children: [
      make("span", { class: "chat-name", text: chat.name, attributes: { dir: "auto" } }),
      make("span", {
        class: "chat-second",
        children: [
          channelMark(chat),
          make("span", { class: "chat-preview", text: preview, attributes: { dir: "auto" } }),
        ],
      }),
    ],
  });
  const side = make("span", {
    class: "chat-side",
    children: [
      last
        ? make("time", { text: clockTime(last.sentAt), attributes: { datetime: last.sentAt } })
        : null,
      unread > 0
        ? make("span", {
            class: "badge",
            text: count(unread),
            attributes: { "aria-label": `${count(unread)} ${word("unread")}` },
          })
        : null,
    ],
  });
  return make("button", {
    class: "chat-line",
    attributes: { type: "button", "data-chat": chat.id },
    onClick: () => store.open(chat.id),
    children: [avatar(chat), texts, side],
  });
}

/** What a bubble says in one line; a file without words is named by its kind. */
export function summaryOf({ text, file, place, card, missing }: PhoneMessage): string {
  if (missing !== null) return word(missing);
  if (text !== "") return text;
  if (place !== null) return word("location");
  if (card !== null) return `${word("contact")}: ${card.name}`;
  return file === null ? "" : word(file.kind);
}

function empty(): HTMLElement {
  return make("div", {
    class: "empty",
    children: [
      icon("chat", "empty-icon"),
      make("p", { class: "empty-title", text: word("noChats") }),
      make("p", { text: word("noChatsHint") }),
    ],
  });
}

function lastTime(chat: PhoneChat): string {
  return chat.messages.at(-1)?.sentAt ?? "";
}
