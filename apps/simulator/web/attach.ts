// What can be sent beside words: a photo, a file, a voice message, a place, a card of somebody.
import { icon, make } from "./dom.ts";
import { act, sendFile } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { Word } from "./words.ts";
import { word } from "./words.ts";

const files = { photo: "image/*", document: "", voice: "audio/*" } as const;
type FileChoice = keyof typeof files;

/** A field of a small form, with what stands in it at first. */
interface Field {
  readonly name: "latitude" | "longitude" | "name" | "phone";
  readonly label: Word;
  readonly value: string;
  readonly inputMode: "decimal" | "tel" | "text";
}

/** Baghdad; and somebody to speak of. */
const forms: Readonly<Record<"location" | "contact", readonly Field[]>> = {
  location: [
    { name: "latitude", label: "latitude", value: "33.3152", inputMode: "decimal" },
    { name: "longitude", label: "longitude", value: "44.3661", inputMode: "decimal" },
  ],
  contact: [
    { name: "name", label: "name", value: "حسن", inputMode: "text" },
    { name: "phone", label: "phoneNumber", value: "+9647800000002", inputMode: "tel" },
  ],
};
type FormChoice = keyof typeof forms;

/** The button that opens the sheet, and the sheet: the choices, or the form of one of them. */
export function createAttach(
  store: Store,
  box: HTMLTextAreaElement,
): { button: HTMLElement; sheet: HTMLElement } {
  const button = make("button", {
    class: "attach",
    attributes: { type: "button", "aria-expanded": "false" },
    children: [icon("attach")],
    onClick: () => show(sheet.hidden ? "choices" : null),
  });
  const sheet = make("div", { class: "sheet", attributes: { hidden: "" } });
  let shown: "choices" | FormChoice | null = null;

  const show = (what: typeof shown): void => {
    shown = what;
    sheet.hidden = what === null;
    button.setAttribute("aria-expanded", String(what !== null));
    button.setAttribute("aria-label", word("attach"));
    if (what === "choices") sheet.replaceChildren(...choices());
    else if (what !== null) sheet.replaceChildren(form(what));
    sheet.querySelector<HTMLElement>("input, button")?.focus();
  };
  const choices = (): HTMLElement[] => [
    ...(["photo", "document", "voice"] as const).map((kind) =>
      choice(kind, () => pickFile(kind, (file) => (show(null), send(kind, file)))),
    ),
    ...(["location", "contact"] as const).map((kind) => choice(kind, () => show(kind))),
  ];
  const send = (kind: FileChoice, file: File): void => {
    const [chat, caption] = [store.openChatId, kind === "voice" ? "" : box.value.trim()];
    if (chat === null) return;
    const replyTo = store.draft?.kind === "reply" ? store.draft.message.id : undefined;
    if (caption !== "") box.value = "";
    store.begin(null);
    void sendFile({ chat, kind, file, caption, replyTo }).catch(complain);
  };
  const form = (kind: FormChoice): HTMLElement =>
    fieldForm(kind, {
      onSend: (values) => (show(null), void sendForm(store, kind, values).catch(complain)),
      onCancel: () => show(null),
    });
  store.listen((aspect) => {
    if (aspect === "language") show(shown);
    else if (aspect === "draft") button.hidden = store.draft?.kind === "edit";
  });
  show(null);
  return { button, sheet };
}

function choice(kind: FileChoice | FormChoice, onClick: () => void): HTMLElement {
  return make("button", {
    class: "choice",
    attributes: { type: "button" },
    onClick,
    children: [
      make("span", { class: "choice-icon", children: [icon(kind)] }),
      make("span", { text: word(kind === "voice" ? "voiceShort" : kind) }),
    ],
  });
}

/** Asks for a file of this machine. */
function pickFile(kind: FileChoice, onFile: (file: File) => void): void {
  const input = make("input", { attributes: { type: "file", accept: files[kind] } });
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file !== undefined) onFile(file);
  });
  input.click();
}

function fieldForm(
  kind: FormChoice,
  on: { onSend: (values: Readonly<Record<string, string>>) => void; onCancel: () => void },
): HTMLElement {
  const inputs = forms[kind].map(({ name, value, inputMode }) =>
    make("input", { attributes: { name, value, inputmode: inputMode, required: "", dir: "auto" } }),
  );
  const form = make("form", {
    class: "fields",
    children: [
      ...inputs.map((input, index) =>
        make("label", {
          class: "field",
          children: [make("span", { text: word(forms[kind][index]?.label ?? "name") }), input],
        }),
      ),
      make("div", {
        class: "field-buttons",
        children: [
          make("button", {
            class: "text-button",
            text: word("cancel"),
            attributes: { type: "button" },
            onClick: on.onCancel,
          }),
          make("button", {
            class: "text-button main",
            text: word("send"),
            attributes: { type: "submit" },
          }),
        ],
      }),
    ],
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    on.onSend(Object.fromEntries(inputs.map(({ name, value }) => [name, value.trim()])));
  });
  return form;
}

function sendForm(
  store: Store,
  kind: FormChoice,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const chat = store.openChatId;
  const replyTo = store.draft?.kind === "reply" ? store.draft.message.id : undefined;
  store.begin(null);
  return kind === "contact"
    ? act("card", { chat, ...values })
    : act("place", {
        chat,
        latitude: Number(values["latitude"]),
        longitude: Number(values["longitude"]),
        ...(replyTo !== undefined && { replyTo }),
      });
}
