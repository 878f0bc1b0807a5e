// "Link a device": a picture of the QR code, dropped, pasted or chosen, its text, or the eight characters to type.
import { icon, make } from "./dom.ts";
import { readQrCode } from "./qr-image.ts";
import { actForShop } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { Word } from "./words.ts";
import { word } from "./words.ts";

/** The form. A picture may be pasted anywhere on the page while the shop's phone is held. */
export function createLinkDevice(store: Store): HTMLElement {
  const result = make("p", { class: "link-result", attributes: { role: "status" } });
  const heading = make("h3");
  const say = (text: string): void => void (result.textContent = text);
  const link = async (name: "scan" | "code", body: object): Promise<void> => {
    say(word("linking"));
    try {
      await actForShop(name, body);
      say(word("linked"));
    } catch (error) {
      say("");
      complain(error);
    }
  };
  const scan = async (picture: Blob): Promise<void> => {
    const qr = await readQrCode(picture).catch(() => null);
    if (qr === null) complain(new Error(word("noQrCode")));
    else await link("scan", { qr });
  };
  const drop = createDrop((picture) => void scan(picture));
  const text = createField({ name: "qr", label: "qrText", onSend: (qr) => link("scan", { qr }) });
  const code = createField({
    name: "code",
    label: "code",
    onSend: (typed) => link("code", { code: typed }),
  });
  document.addEventListener("paste", (event) => {
    const [picture] = event.clipboardData?.files ?? [];
    if (store.holder === "shop" && picture !== undefined) void scan(picture);
  });
  const draw = (): void => {
    heading.textContent = word("linkDevice");
    say("");
    for (const part of [drop, text, code]) part.draw();
  };
  store.listen((aspect) => {
    if (aspect === "language") draw();
    // What was said of a device that is gone is no longer true.
    else if (aspect === "shop" && store.shop?.devices.length === 0) say("");
  });
  draw();
  return make("section", {
    class: "link-device",
    children: [heading, drop.element, text.element, code.element, result],
  });
}

interface Part {
  readonly element: HTMLElement;
  /** In the page's language. */
  draw(): void;
}

/** Where a picture is dropped, or chosen by a click. */
function createDrop(onPicture: (picture: Blob) => void): Part {
  const words = make("span");
  const input = make("input", { class: "unseen", attributes: { type: "file", accept: "image/*" } });
  const element = make("label", {
    class: "drop",
    children: [icon("photo", "empty-icon"), words, input],
  });
  input.addEventListener("change", () => {
    const [picture] = input.files ?? [];
    if (picture !== undefined) onPicture(picture);
    input.value = "";
  });
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    const [picture] = event.dataTransfer?.files ?? [];
    if (picture !== undefined) onPicture(picture);
  });
  return { element, draw: () => void (words.textContent = word("dropQr")) };
}

/** One line to type or paste into, sent by its button. */
function createField(field: {
  name: string;
  label: Word;
  onSend: (value: string) => Promise<void>;
}): Part {
  const label = make("span");
  const input = make("input", {
    attributes: { name: field.name, required: "", autocomplete: "off", dir: "ltr" },
  });
  const button = make("button", { class: "text-button main", attributes: { type: "submit" } });
  const element = make("form", {
    class: "link-field",
    children: [make("label", { class: "field", children: [label, input] }), button],
  });
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = input.value.trim();
    input.value = "";
    void field.onSend(value);
  });
  const draw = (): void => {
    label.textContent = word(field.label);
    button.textContent = word("link");
  };
  return { element, draw };
}
