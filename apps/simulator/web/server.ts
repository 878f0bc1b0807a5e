// Talks to the simulator's server: follows its state and events, and does what Zainab does.
import type { Store } from "./store.ts";
import type { LoggedDelivery, PageState, PhoneChange, PhoneFileKind } from "./types.ts";

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

/** What Zainab does by words alone. */
export type ActionName = "send" | "edit" | "place" | "card" | "press" | "block";

/** Sends one action. Rejects with the server's own words when it is refused. */
export function act(name: ActionName, body: object): Promise<void> {
  return post(`/simulator/api/${name}`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** A file that Zainab sends. */
export interface OutgoingFile {
  readonly botId: number;
  readonly kind: PhoneFileKind;
  readonly file: File;
  readonly caption: string;
  readonly replyTo: number | undefined;
}

/** Sends a file. Rejects as `act` does. */
export function sendFile({ botId, kind, file, caption, replyTo }: OutgoingFile): Promise<void> {
  const query = new URLSearchParams({ botId: String(botId), kind, name: file.name });
  if (caption !== "") query.set("caption", caption);
  if (replyTo !== undefined) query.set("replyTo", String(replyTo));
  return post(`/simulator/api/file?${query.toString()}`, {
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });
}

async function post(url: string, request: RequestInit): Promise<void> {
  const response = await fetch(url, { method: "POST", ...request });
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
