// The shop's phone: which devices its WhatsApp is linked with, and the form to link another.
import { icon, make } from "./dom.ts";
import { createLinkDevice } from "./link-device.ts";
import { actForShop } from "./server.ts";
import type { Store } from "./store.ts";
import { complain } from "./toast.ts";
import type { ShownDevice } from "./types.ts";
import { word } from "./words.ts";

/** The screen; the form stays while devices come and go, so that nothing typed is lost. */
export function createLinkedDevices(store: Store): HTMLElement {
  const title = make("h2", { class: "phone-title" });
  const list = make("ul", { class: "device-list" });
  const screen = make("div", {
    class: "screen linked-devices",
    children: [
      make("header", { class: "phone-bar", children: [title] }),
      make("div", { class: "device-pane", children: [list, createLinkDevice(store)] }),
    ],
  });
  const draw = (): void => {
    const devices = store.shop?.devices ?? [];
    title.textContent = word("linkedDevices");
    list.replaceChildren(...(devices.length === 0 ? [none()] : devices.map(line)));
  };
  store.listen((aspect) => (aspect === "shop" || aspect === "language") && draw());
  draw();
  return screen;
}

function line({ device, platform, connected }: ShownDevice): HTMLElement {
  return make("li", {
    class: "device-line",
    children: [
      make("span", { class: "card-picture", children: [icon("device")] }),
      make("span", {
        class: "chat-texts",
        children: [
          make("bdi", { class: "chat-name", text: platform, attributes: { dir: "auto" } }),
          make("span", {
            class: connected ? "chat-preview typing" : "chat-preview",
            text: word(connected ? "connected" : "notConnected"),
          }),
        ],
      }),
      make("button", {
        class: "text-button",
        text: word("unlink"),
        attributes: { type: "button" },
        onClick: () => void actForShop("unlink", { device }).catch(complain),
      }),
    ],
  });
}

function none(): HTMLElement {
  return make("li", {
    class: "empty",
    children: [
      icon("device", "empty-icon"),
      make("p", { class: "empty-title", text: word("noDevices") }),
      make("p", { text: word("noDevicesHint") }),
    ],
  });
}
