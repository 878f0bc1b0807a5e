// The box to write in, with what the words are for, and what can be sent beside words.
import { createAttach } from "./attach.ts";
import { summaryOf } from "./chat-list.ts";
import { icon, make } from "./dom.ts";
import { act } from "./server.ts";
import type { Draft, Store } from "./store.ts";
import { complain } from "./toast.ts";
import { tellTyping } from "./typing.ts";
import { word } from "./words.ts";

/** It stays while messages come, so that nothing typed is lost. */
export function composer(store: Store): HTMLElement {
  const box = make("textarea", {
    class: "box",
    attributes: { rows: "1", dir: "auto", maxlength: "4096", name: "text", autocomplete: "off" },
  });
  const button = make("button", {
    class: "send",
    attributes: { type: "submit" },
    children: [icon("send", "mirrored")],
  });
  const attach = createAttach(store, box);
  const form = make("form", { class: "composer", children: [attach.button, box, button] });
  const purpose = make("div", { class: "purpose" });
  const name = (): void => {
    box.placeholder = word("write");
    box.setAttribute("aria-label", word("write"));
    button.setAttribute("aria-label", word("send"));
  };
  const ready = (): void => void (button.disabled = box.value.trim() === "");
  box.addEventListener("input", ready);
  tellTyping(store, box);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return store.begin(null);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendWords(store, box, ready);
  });
  let shown: Draft | null = null;
  store.listen((aspect) => {
    if (aspect === "language") name();
    if (aspect !== "draft" && aspect !== "language") return;
    showPurpose(store, purpose);
    if (shown !== store.draft) takeUp(store.draft, { box, wasEdit: shown?.kind === "edit" });
    shown = store.draft;
    ready();
  });
  showPurpose(store, purpose);
  name();
  ready();
  return make("div", { class: "writing", children: [purpose, attach.sheet, form] });
}

function sendWords(store: Store, box: HTMLTextAreaElement, ready: () => void): void {
  const [text, chat, draft] = [box.value, store.openChatId, store.draft];
  if (text.trim() === "" || chat === null) return;
  const id = draft?.message.id;
  const sending =
    draft?.kind === "edit"
      ? act("edit", { chat, messageId: id, text })
      : act("send", { chat, text, ...(id !== undefined && { replyTo: id }) });
  box.value = "";
  store.begin(null);
  ready();
  void sending.catch((error: unknown) => {
    if (box.value === "") box.value = text;
    ready();
    complain(error);
  });
}

/** What is edited stands in the box; leaving that empties it again. */
function takeUp(
  draft: Draft | null,
  { box, wasEdit }: { box: HTMLTextAreaElement; wasEdit: boolean },
): void {
  if (draft?.kind === "edit") box.value = draft.message.text;
  else if (wasEdit) box.value = "";
  if (draft !== null) box.focus();
}

function showPurpose(store: Store, purpose: HTMLElement): void {
  const { draft } = store;
  purpose.hidden = draft === null;
  if (draft === null) return;
  purpose.replaceChildren(
    icon(draft.kind, draft.kind === "reply" ? "purpose-icon mirrored" : "purpose-icon"),
    make("div", {
      class: "purpose-words",
      children: [
        make("strong", { text: word(draft.kind === "edit" ? "editing" : "answering") }),
        make("span", {
          class: "purpose-text",
          text: summaryOf(draft.message),
          attributes: { dir: "auto" },
        }),
      ],
    }),
    make("button", {
      class: "icon-button",
      attributes: { type: "button", "aria-label": word("cancel") },
      onClick: () => store.begin(null),
      children: [icon("cross")],
    }),
  );
}
