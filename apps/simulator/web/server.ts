// Talks to the simulator's server: follows its state and events, and does what Zainab does.
import type { Store } from "./store.ts";
import type { LoggedDelivery, PageState, PhoneChange } from "./types.ts";

/** Follows the server for as long as the page is open; each connection begins with the whole state. */
export function follow(store: Store): void {
  const events = new EventSource("/simulator/api/events");
  events.addEventListener("ready", (event) => {
    store.load(parse<PageState>(event));
    setLive(store, true);
  });
  events.addEventListener("phone", (event) => store.apply(parse<PhoneChange>(event)));
  events.addEventListener("delivery", (event) => store.addDelivery(parse<LoggedDelivery>(event)));
  events.addEventListener("error", () => setLive(store, false));
}

/** Sends one action. Rejects with the server's own words when it is refused. */
export async function act(name: "send" | "press" | "block", body: object): Promise<void> {
  const response = await fetch(`/simulator/api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return;
  const { error } = (await response.json()) as { error?: string };
  throw new Error(error ?? `HTTP ${response.status}`);
}

function setLive(store: Store, live: boolean): void {
  if (store.live === live) return;
  store.live = live;
  store.changed("live");
}

function parse<Shape>(event: Event): Shape {
  return JSON.parse(event instanceof MessageEvent ? String(event.data) : "null") as Shape;
}
