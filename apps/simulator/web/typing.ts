// Tells the other side that Zainab writes, where the app does so: while she types, and once when she stops.
import { act } from "./server.ts";
import type { Store } from "./store.ts";

const AGAIN_MS = 4000;
const STOPS_AFTER_MS = 3000;

export function tellTyping(store: Store, box: HTMLTextAreaElement): void {
  let toldAt = -AGAIN_MS;
  let stopping = 0;
  // Whether it is seen or not changes nothing for her: what fails is not worth a notice.
  const tell = (chat: string, active: boolean): void =>
    void act("type", { chat, active }).catch(() => undefined);
  const stop = (chat: string): void => {
    if (toldAt < 0) return;
    toldAt = -AGAIN_MS;
    tell(chat, false);
  };
  box.addEventListener("input", () => {
    const chat = store.openChat;
    if (chat === null || !chat.abilities.includes("typing")) return;
    clearTimeout(stopping);
    if (box.value === "") return stop(chat.id);
    stopping = window.setTimeout(() => stop(chat.id), STOPS_AFTER_MS);
    if (performance.now() - toldAt < AGAIN_MS) return;
    toldAt = performance.now();
    tell(chat.id, true);
  });
}
