// The phone's second screen: the bubbles of one chat and the box to write in.
import { avatar } from "./chat-list.ts";
import { icon, make } from "./dom.ts";
import { richText } from "./rich-text.ts";
import { act } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { PhoneChat, PhoneFile, PhoneMessage } from "./types.ts";
import { clockTime, dayName, fileSize, word } from "./words.ts";

/** The bar on top: back, who, and what they are doing. */
export function conversationBar(store: Store, chat: PhoneChat): HTMLElement {
  const typing = store.isTyping(chat.botId);
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
          typing
            ? make("span", { class: "chat-preview typing", text: word("typing") })
            : make("span", {
                class: "chat-preview",
                text: `@${chat.username}`,
                attributes: { dir: "ltr" },
              }),
        ],
      }),
      make("button", {
        class: "text-button",
        text: word(chat.blocked ? "unblock" : "block"),
        attributes: { type: "button" },
        onClick: () =>
          void act("block", { botId: chat.botId, blocked: !chat.blocked }).catch(complain),
      }),
    ],
  });
}

/** The bubbles, oldest first, with a line for each day. */
export function bubbles(chat: PhoneChat): Node[] {
  if (chat.messages.length === 0) return [make("p", { class: "notice", text: word("noMessages") })];
  const nodes: Node[] = [];
  let day = "";
  for (const message of chat.messages) {
    const name = dayName(message.sentAt);
    if (name !== day) nodes.push(make("p", { class: "day", text: name }));
    day = name;
    nodes.push(bubble(chat, message));
  }
  if (chat.blocked) nodes.push(make("p", { class: "notice", text: word("blocked") }));
  return nodes;
}

/** The box to write in. It stays while messages come, so that nothing typed is lost. */
export function composer(store: Store): HTMLFormElement {
  const box = make("textarea", {
    class: "box",
    attributes: { rows: "1", dir: "auto", maxlength: "4096", name: "text", autocomplete: "off" },
  });
  const button = make("button", {
    class: "send",
    attributes: { type: "submit" },
    children: [icon("send", "mirrored")],
  });
  const form = make("form", { class: "composer", children: [box, button] });
  const name = (): void => {
    box.placeholder = word("write");
    box.setAttribute("aria-label", word("write"));
    button.setAttribute("aria-label", word("send"));
  };
  const ready = (): void => void (button.disabled = box.value.trim() === "");
  box.addEventListener("input", ready);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value;
    if (text.trim() === "" || store.openBotId === null) return;
    box.value = "";
    ready();
    void act("send", { botId: store.openBotId, text }).catch((error: unknown) => {
      if (box.value === "") box.value = text;
      ready();
      complain(error);
    });
  });
  store.listen((aspect) => aspect === "language" && name());
  name();
  ready();
  return form;
}

function bubble(chat: PhoneChat, message: PhoneMessage): HTMLElement {
  const edited = message.edited ? `${word("edited")} · ` : "";
  const time = make("time", {
    class: "bubble-time",
    text: edited + clockTime(message.sentAt),
    attributes: { datetime: message.sentAt },
  });
  const quote = message.replyTo
    ? make("p", { class: "quote", text: message.replyTo.text, attributes: { dir: "auto" } })
    : null;
  const text = make("p", {
    class: "bubble-text",
    attributes: { dir: "auto" },
    children: richText(message.text, message.entities),
  });
  const file = message.file === null ? null : fileView(message.file);
  const hasText = message.text !== "" || file === null;
  const body = make("div", {
    class: "bubble",
    children: [quote, file, hasText ? text : null, time],
  });
  return make("div", {
    class: `row ${message.author}`,
    attributes: { "data-message": String(message.id) },
    children: [body, keyboard(chat, message)],
  });
}

/** A picture in place; any other file as a link that saves it. */
function fileView(file: PhoneFile): HTMLElement {
  const address = `/simulator/api/file?id=${encodeURIComponent(file.id)}`;
  const name = file.name ?? word(file.kind);
  if (file.isPicture)
    return make("img", { class: `picture ${file.kind}`, attributes: { src: address, alt: name } });
  return make("a", {
    class: "file",
    attributes: { href: address, download: file.name ?? file.kind, dir: "auto" },
    children: [
      make("span", { class: "file-name", text: name }),
      make("span", { class: "file-size", text: fileSize(file.size) }),
    ],
  });
}

function keyboard(chat: PhoneChat, message: PhoneMessage): HTMLElement | null {
  if (message.buttons.length === 0) return null;
  const rows = message.buttons.map((row) =>
    make("div", {
      class: "key-row",
      children: row.map((button) => {
        const data = button.callback_data;
        if (data === undefined)
          return make("a", {
            class: "key",
            text: button.text,
            attributes: {
              href: webAddress(button.url),
              target: "_blank",
              rel: "noopener noreferrer",
              dir: "auto",
            },
          });
        const press = (): void =>
          void act("press", { botId: chat.botId, messageId: message.id, data }).catch(complain);
        return make("button", {
          class: "key",
          text: button.text,
          attributes: { type: "button", dir: "auto" },
          onClick: press,
        });
      }),
    }),
  );
  return make("div", { class: "keys", children: rows });
}

function webAddress(url: string | undefined): string {
  return url !== undefined && /^https?:\/\//i.test(url) ? url : "#";
}
