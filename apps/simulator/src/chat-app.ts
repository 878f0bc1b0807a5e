// An app on Zainab's phone, as the page knows it: chats, what happens in them, and what she can do there.
import type { z } from "zod";
import type { deedShape, fileShape } from "./deeds.ts";
import type { PhoneMessage } from "./phone-message.ts";

/** What can be done in a chat beside writing, answering, changing own words and sending what is not words. */
export type Ability = "block" | "delete" | "react" | "read" | "typing";

/** One chat, as it stands. */
export interface PhoneChat {
  /** Begins with the channel: `tg-7100200300`. */
  id: string;
  channel: "tg" | "wd";
  name: string;
  /** How the other side is found: a username or a number. */
  handle: string;
  abilities: readonly Ability[];
  blocked: boolean;
  messages: PhoneMessage[];
}

/** Something that happened on the phone. `change`: a message that is there is another one now. */
export type PhoneChange =
  | { type: "message" | "change" | "delete"; chat: string; message: PhoneMessage }
  | { type: "typing"; chat: string; active: boolean }
  | { type: "blocked"; chat: string; blocked: boolean }
  | { type: "chat"; chat: PhoneChat };

/** What Zainab does in a chat. */
export type Deed =
  | z.infer<typeof deedShape>
  | ({ kind: "file"; bytes: Buffer } & { file: z.infer<typeof fileShape> });

/** Bytes, and the type that they may be shown as. */
export interface PhoneFileBytes {
  bytes: Buffer;
  mime: string;
}

/** One app, over the stand-in of its provider. */
export interface ChatApp {
  readonly channel: PhoneChat["channel"];
  chats(): PhoneChat[];
  /** Throws or rejects in plain words when it can't be done. */
  act(chat: string, deed: Deed): Promise<void> | void;
  /** `null` when there is no such file. */
  file(id: string): PhoneFileBytes | null;
  listen(listener: (change: PhoneChange) => void): () => void;
}
