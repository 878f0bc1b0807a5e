// The log of what the store's webhooks received, newest first, each with both signatures judged.
import { icon, make } from "./dom.ts";
import type { Store } from "./store.ts";
import type { LoggedDelivery, SignatureVerdict } from "./types.ts";
import { clockTime, count, word } from "./words.ts";

/** Makes the log and keeps it up to date; what is open stays open. */
export function createDeliveries(store: Store): HTMLElement {
  const title = make("h2", { class: "log-title" });
  const total = make("span", { class: "chip" });
  const list = make("ol", { class: "deliveries", attributes: { "aria-live": "polite" } });
  const open = new Set<number>();
  const shown = new Map<number, HTMLElement>();

  const draw = (): void => {
    title.textContent = word("deliveries");
    total.textContent = count(store.deliveries.length);
    total.hidden = store.deliveries.length === 0;
    for (const delivery of store.deliveries)
      if (!shown.has(delivery.n)) shown.set(delivery.n, card(delivery, open));
    const cards = store.deliveries.flatMap(({ n }) => shown.get(n) ?? []);
    list.replaceChildren(...(cards.length > 0 ? cards : [empty()]));
  };
  store.listen((aspect) => {
    if (aspect === "language") shown.clear();
    if (aspect === "deliveries" || aspect === "language") draw();
  });
  draw();
  return make("section", {
    class: "log",
    children: [make("header", { class: "log-head", children: [title, total] }), list],
  });
}

function card(delivery: LoggedDelivery, open: Set<number>): HTMLElement {
  const head = make("div", {
    class: "delivery-head",
    children: [
      make("code", { class: "event", text: delivery.event ?? "?", attributes: { dir: "ltr" } }),
      make("bdi", { class: "endpoint", text: delivery.name }),
      make("time", {
        text: clockTime(delivery.receivedAt, true),
        attributes: { datetime: delivery.receivedAt },
      }),
    ],
  });
  const said = make("p", {
    class: "said",
    children: [
      delivery.from === null ? null : make("bdi", { class: "sender", text: delivery.from }),
      delivery.text === null
        ? null
        : make("span", { class: "said-text", text: delivery.text, attributes: { dir: "auto" } }),
    ],
  });
  const verdicts = make("div", {
    class: "verdicts",
    children: [
      verdict("X-Thikaa-Signature", delivery.signatures.thikaa),
      verdict("Standard Webhooks", delivery.signatures.standard),
    ],
  });
  return make("li", {
    class: "delivery",
    attributes: { "data-delivery": String(delivery.n) },
    children: [head, said, verdicts, details(delivery, open)],
  });
}

function verdict(name: string, judged: SignatureVerdict): HTMLElement {
  const kind = judged === "valid" ? "good" : judged === "unregistered" ? "unsure" : "bad";
  const sign = judged === "valid" ? "✓" : judged === "unregistered" ? "?" : "✗";
  return make("span", {
    class: `verdict ${kind}`,
    attributes: { "data-verdict": judged },
    children: [
      make("span", { class: "sign", text: sign, attributes: { "aria-hidden": "true" } }),
      make("bdi", { text: name }),
      make("span", { class: kind === "good" ? "unseen" : "reason", text: word(judged) }),
    ],
  });
}

function details(delivery: LoggedDelivery, open: Set<number>): HTMLElement {
  const headers = Object.entries(delivery.headers).map(
    ([name, value]) => `${name}: ${String(value)}`,
  );
  const element = make("details", {
    children: [
      make("summary", { text: word("details") }),
      make("h3", { text: word("body") }),
      code(pretty(delivery.body), word("body")),
      make("h3", { text: word("headers") }),
      code(headers.join("\n"), word("headers")),
    ],
  });
  element.open = open.has(delivery.n);
  element.addEventListener(
    "toggle",
    () => void (element.open ? open.add(delivery.n) : open.delete(delivery.n)),
  );
  return element;
}

function code(text: string, label: string): HTMLElement {
  return make("pre", {
    text,
    attributes: { dir: "ltr", tabindex: "0", role: "region", "aria-label": label },
  });
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function empty(): HTMLElement {
  return make("li", {
    class: "empty",
    children: [
      icon("webhooks", "empty-icon"),
      make("p", { class: "empty-title", text: word("noDeliveries") }),
      make("p", { text: word("noDeliveriesHint") }),
    ],
  });
}
