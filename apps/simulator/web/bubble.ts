// One bubble: its words, file, place or card, what it answers, its buttons, and what can be done with it.
import { deeds } from "./bubble-deeds.ts";
import { icon, make } from "./dom.ts";
import { richText } from "./rich-text.ts";
import { act } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { PhoneChat, PhoneFile, PhoneMessage, PhonePlace } from "./types.ts";
import { clockTime, fileSize, word } from "./words.ts";

export function bubble(store: Store, chat: PhoneChat, message: PhoneMessage): HTMLElement {
  const { file, place, card, missing } = message;
  const hasText = message.text !== "" || (file ?? place ?? card ?? missing) === null;
  const body = make("div", {
    class: "bubble",
    children: [
      quote(message),
      file && fileView(file),
      place && placeView(place),
      card && cardView(card),
      hasText
        ? make("p", {
            class: "bubble-text",
            attributes: { dir: "auto" },
            children: richText(message.text, message.entities),
          })
        : null,
      missing && make("p", { class: "missing", text: word(missing) }),
      foot(message),
      message.reaction === null
        ? null
        : make("span", {
            class: "reaction",
            text: message.reaction,
            attributes: { role: "img", "aria-label": `${word("reaction")} ${message.reaction}` },
          }),
    ],
  });
  const held = make("div", {
    class: message.reaction === null ? "held" : "held reacted",
    children: [body, ...(missing === "deleted" ? [] : deeds(store, chat, message))],
  });
  return make("div", {
    class: `row ${message.author}`,
    attributes: { "data-message": message.id },
    children: [held, keyboard(chat, message)],
  });
}

function quote({ replyTo }: PhoneMessage): HTMLElement | null {
  if (replyTo === null) return null;
  const text = replyTo.text === "" && replyTo.kind !== null ? word(replyTo.kind) : replyTo.text;
  return make("p", { class: "quote", text, attributes: { dir: "auto" } });
}

/** When it was written, and of her own what became of it where the app tells. */
function foot({ edited, sentAt, author, status, missing }: PhoneMessage): HTMLElement {
  const isTold = author === "person" && status !== null && missing === null;
  return make("div", {
    class: "bubble-foot",
    children: [
      make("time", {
        class: "bubble-time",
        text: (edited ? `${word("edited")} · ` : "") + clockTime(sentAt),
        attributes: { datetime: sentAt },
      }),
      isTold
        ? make("span", {
            class: `ticks ${status}`,
            text: status === "sent" ? "✓" : "✓✓",
            attributes: { role: "img", "aria-label": word(status) },
          })
        : null,
    ],
  });
}

/** A picture in place, a voice that plays; any other file as a link that saves it. */
function fileView(file: PhoneFile): HTMLElement {
  const address = `/simulator/api/file?id=${encodeURIComponent(file.id)}`;
  const name = file.name ?? word(file.kind);
  if (file.isPicture)
    return make("img", { class: `picture ${file.kind}`, attributes: { src: address, alt: name } });
  if (file.kind === "voice")
    return make("audio", {
      class: "voice",
      attributes: {
        src: address,
        controls: "",
        controlslist: "nodownload noplaybackrate",
        preload: "metadata",
        "aria-label": name,
      },
    });
  return make("a", {
    class: "file",
    attributes: { href: address, download: file.name ?? file.kind, dir: "auto" },
    children: [
      make("span", { class: "file-name", text: name }),
      file.size === null ? null : make("span", { class: "file-size", text: fileSize(file.size) }),
    ],
  });
}

function placeView({ latitude, longitude, name, address }: PhonePlace): HTMLElement {
  const at = `${latitude}/${longitude}`;
  return make("a", {
    class: "place",
    attributes: {
      href: `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${at}`,
      target: "_blank",
      rel: "noopener noreferrer",
    },
    children: [
      make("span", { class: "card-picture", children: [icon("location")] }),
      make("span", {
        class: "card-words",
        children: [
          make("span", {
            class: "card-name",
            text: name ?? word("location"),
            attributes: { dir: "auto" },
          }),
          address === null
            ? null
            : make("span", { class: "card-line", text: address, attributes: { dir: "auto" } }),
          make("bdi", {
            class: "card-line",
            text: `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`,
            attributes: { dir: "ltr" },
          }),
        ],
      }),
    ],
  });
}

function cardView({ name, phone }: { name: string; phone: string }): HTMLElement {
  return make("div", {
    class: "card",
    children: [
      make("span", { class: "card-picture", children: [icon("contact")] }),
      make("span", {
        class: "card-words",
        children: [
          make("span", { class: "card-name", text: name, attributes: { dir: "auto" } }),
          make("bdi", { class: "card-line", text: phone, attributes: { dir: "ltr" } }),
        ],
      }),
    ],
  });
}

function keyboard(chat: PhoneChat, message: PhoneMessage): HTMLElement | null {
  if (message.buttons.length === 0) return null;
  const rows = message.buttons.map((row) =>
    make("div", {
      class: "key-row",
      children: row.map((button) => key(chat, message, button)),
    }),
  );
  return make("div", { class: "keys", children: rows });
}

function key(
  chat: PhoneChat,
  message: PhoneMessage,
  { text, callback_data: data, url }: PhoneMessage["buttons"][number][number],
): HTMLElement {
  if (data === undefined)
    return make("a", {
      class: "key",
      text,
      attributes: {
        href: webAddress(url),
        target: "_blank",
        rel: "noopener noreferrer",
        dir: "auto",
      },
    });
  return make("button", {
    class: "key",
    text,
    attributes: { type: "button", dir: "auto" },
    onClick: () =>
      void act("press", { chat: chat.id, messageId: message.id, data }).catch(complain),
  });
}

function webAddress(url: string | undefined): string {
  return url !== undefined && /^https?:\/\//i.test(url) ? url : "#";
}
