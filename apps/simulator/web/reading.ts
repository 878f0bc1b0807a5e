// Marks what the shop wrote as read while its chat is open before Zainab's eyes.
import { act } from "./server.ts";
import type { Store } from "./store.ts";

export function readWhatIsSeen(store: Store): void {
  let lastRead = "";
  const read = (): void => {
    const chat = store.openChat;
    const isSeen =
      document.visibilityState === "visible" &&
      store.holder === "customer" &&
      store.panel === "phone";
    if (chat === null || !isSeen || !chat.abilities.includes("read")) return;
    const unread = chat.messages.findLast(
      ({ author, status }) => author === "shop" && status !== "read",
    );
    if (unread === undefined || unread.id === lastRead) return;
    lastRead = unread.id;
    void act("read", { chat: chat.id }).catch(() => (lastRead = ""));
  };
  store.listen((aspect) => (aspect === "chats" || aspect === "panel") && read());
  document.addEventListener("visibilitychange", read);
}
