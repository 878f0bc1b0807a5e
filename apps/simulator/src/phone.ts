// Zainab's phone: the chats of its apps side by side, each app over the stand-in of its provider.
import type { ChatApp, Deed, PhoneChange, PhoneChat, PhoneFileBytes } from "./chat-app.ts";
import { ZAINAB } from "./people.ts";

/** Whose phone it is. */
export interface PhoneOwner {
  id: number;
  username: string;
  number: string;
}

/** What the page can do with the phone. */
export interface Phone {
  readonly owner: PhoneOwner;
  chats(): PhoneChat[];
  /** Does something in a chat. Rejects in plain words when it can't be done. */
  act(chat: string, deed: Deed): Promise<void>;
  /** A file in one of the chats; `null` when there is none. */
  file(id: string): PhoneFileBytes | null;
  /** Calls the listener for each change from now on; the returned function ends it. */
  listen(listener: (change: PhoneChange) => void): () => void;
}

/** A phone with these apps. */
export function createPhone(apps: readonly ChatApp[]): Phone {
  const appOf = (id: string) => apps.find(({ channel }) => id.startsWith(`${channel}-`));
  return {
    owner: { id: ZAINAB.id, username: ZAINAB.username, number: ZAINAB.number },
    chats: () => apps.flatMap((app) => app.chats()),
    act: async (chat, deed) => {
      const app = appOf(chat);
      if (app === undefined) throw new Error(`There is no chat '${chat}' on this phone.`);
      await app.act(chat, deed);
    },
    file: (id) => appOf(id)?.file(id) ?? null,
    listen: (listener) => {
      const ends = apps.map((app) => app.listen(listener));
      return () => ends.forEach((end) => end());
    },
  };
}
