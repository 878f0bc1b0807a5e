// What can be done with a bubble: any message is answered, own words are changed; where the app has it, reacted to and deleted.
import { icon, make } from "./dom.ts";
import { act } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { PhoneChat, PhoneMessage } from "./types.ts";
import { word } from "./words.ts";

const EMOJI = ["👍", "❤️", "😂", "🙏"] as const;

type DeedName = "reply" | "edit" | "react" | "delete";

/** The buttons beside the bubble, and what one of them opens above it. */
export function deeds(
  store: Store,
  chat: PhoneChat,
  message: PhoneMessage,
): readonly (HTMLElement | null)[] {
  const isOwn = message.author === "person";
  const isOwnText = isOwn && message.file === null && message.text !== "";
  const begin = (kind: "reply" | "edit") => deed(kind, () => store.begin({ kind, message }));
  const emoji = !isOwn && chat.abilities.includes("react") ? emojiChoices(chat, message) : null;
  const buttons = make("div", {
    class: "deeds",
    children: [
      begin("reply"),
      isOwnText ? begin("edit") : null,
      isOwn && chat.abilities.includes("delete")
        ? deed("delete", () => act("delete", { chat: chat.id, messageId: message.id }))
        : null,
      emoji && deed("react", () => void (emoji.hidden = !emoji.hidden)),
    ],
  });
  return [buttons, emoji];
}

function deed(kind: DeedName, onClick: () => Promise<void> | void): HTMLButtonElement {
  return make("button", {
    class: "deed",
    attributes: { type: "button", "aria-label": word(kind), title: word(kind) },
    onClick: () => void Promise.resolve(onClick()).catch(complain),
    children: [icon(kind, kind === "reply" ? "mirrored" : "")],
  });
}

/** The last one takes a reaction back. */
function emojiChoices(chat: PhoneChat, { id: messageId }: PhoneMessage): HTMLElement {
  const choose = (emoji: string | null) => {
    choices.hidden = true;
    void act("react", { chat: chat.id, messageId, emoji }).catch(complain);
  };
  const choices = make("div", {
    class: "emoji",
    attributes: { hidden: "", role: "group", "aria-label": word("react") },
    children: [
      ...EMOJI.map((emoji) =>
        make("button", {
          class: "emoji-choice",
          text: emoji,
          attributes: { type: "button" },
          onClick: () => choose(emoji),
        }),
      ),
      make("button", {
        class: "emoji-choice",
        attributes: { type: "button", "aria-label": word("noReaction") },
        onClick: () => choose(null),
        children: [icon("cross")],
      }),
    ],
  });
  return choices;
}
