// Builds the page: the bar on top, the phone, the log of webhooks, and the switch between them on a narrow screen.
import { createDeliveries } from "./deliveries.ts";
import { icon, make } from "./dom.ts";
import { createPhone } from "./phone.ts";
import { readWhatIsSeen } from "./reading.ts";
import { follow } from "./server.ts";
import { Store } from "./store.ts";
import type { Panel } from "./store.ts";
import { count, language, useLanguage, word } from "./words.ts";

const store = new Store();
useLanguage(language());
document.body.append(topBar(), panels(), tabs());
readWhatIsSeen(store);
follow(store);

function topBar(): HTMLElement {
  const bar = make("header", { class: "top" });
  const draw = (): void => {
    const next = language() === "ar" ? "en" : "ar";
    bar.replaceChildren(
      make("div", {
        class: "brand",
        children: [make("h1", { text: word("title") }), make("p", { text: word("subtitle") })],
      }),
      make("span", {
        class: store.live ? "live on" : "live",
        attributes: { role: "status" },
        children: [
          make("span", { class: "dot" }),
          make("span", { class: "live-text", text: word(store.live ? "live" : "offline") }),
        ],
      }),
      make("button", {
        class: "text-button",
        text: word("language"),
        attributes: { type: "button", lang: next, "aria-label": word("languageLabel") },
        onClick: () => {
          useLanguage(next);
          store.changed("language");
        },
      }),
    );
  };
  store.listen((aspect) => (aspect === "language" || aspect === "live") && draw());
  draw();
  return bar;
}

function panels(): HTMLElement {
  const main = make("main", {
    class: "panels",
    children: [createPhone(store), createDeliveries(store)],
  });
  const draw = (): void => void (main.dataset["panel"] = store.panel);
  store.listen((aspect) => aspect === "panel" && draw());
  draw();
  return main;
}

function tabs(): HTMLElement {
  const bar = make("nav", { class: "tabs" });
  const tab = (panel: Panel, badge: number): HTMLElement =>
    make("button", {
      class: "tab",
      attributes: { type: "button", "aria-pressed": String(store.panel === panel) },
      onClick: () => store.show(panel),
      children: [
        icon(panel),
        make("span", { text: word(panel) }),
        badge > 0
          ? make("span", {
              class: "badge",
              text: count(badge),
              attributes: { "aria-label": `${count(badge)} ${word("unread")}` },
            })
          : null,
      ],
    });
  const draw = (): void =>
    bar.replaceChildren(tab("phone", 0), tab("webhooks", store.newDeliveries));
  store.listen((aspect) => aspect !== "live" && draw());
  draw();
  return bar;
}
