// Talks to the simulator's server: follows its state and events, and does what Zainab does.
import type { Store } from "./store.ts";
import type {
  LoggedDelivery,
  PageState,
  PhoneChange,
  PhoneFileKind,
  ShopPhoneState,
} from "./types.ts";

/** Follows the server for as long as the page is open; each connection begins with the whole state. */
export function follow(store: Store): void {
  const events = new EventSource("/simulator/api/events");
  events.addEventListener("ready", (event) => {
    store.load(parse<PageState>(event));
    setLive(store, true);
  });
  events.addEventListener("phone", (event) => store.apply(parse<PhoneChange>(event)));
  events.addEventListener("shop", (event) => store.setShop(parse<ShopPhoneState>(event)));
  events.addEventListener("delivery", (event) => store.addDelivery(parse<LoggedDelivery>(event)));
  events.addEventListener("error", () => setLive(store, false));
}

/** What Zainab does in a chat, but for files. */
export type ActionName =
  | "send"
  | "edit"
  | "delete"
  | "react"
  | "place"
  | "card"
  | "press"
  | "block"
  | "read"
  | "type";

/** Sends one action. Rejects with the server's own words when it is refused. */
export function act(name: ActionName | `shop/${string}`, body: object): Promise<void> {
  return post(`/simulator/api/${name}`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Does something with the shop's phone. Rejects as `act` does. */
export function actForShop(name: "scan" | "code" | "unlink", body: object): Promise<void> {
  return act(`shop/${name}`, body);
}

/** A file that Zainab sends. */
export interface OutgoingFile {
  readonly chat: string;
  readonly kind: PhoneFileKind;
  readonly file: File;
  readonly caption: string;
  readonly replyTo: string | undefined;
}

/** Sends a file. Rejects as `act` does. */
export function sendFile({ chat, kind, file, caption, replyTo }: OutgoingFile): Promise<void> {
  const query = new URLSearchParams({ chat, kind, name: file.name });
  if (file.type !== "") query.set("mime", file.type);
  if (caption !== "") query.set("caption", caption);
  if (replyTo !== undefined) query.set("replyTo", replyTo);
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
