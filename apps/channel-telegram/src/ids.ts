// Telegram's ids: the one place where recipients, threads and item keys are made and read.

/** A chat of a bot; with `businessId`, a chat of the business account that the bot answers for. */
export interface ChatAddress {
  /** A number as Telegram writes it (groups are negative), or `@name` of a public group or channel. */
  readonly chatId: string;
  readonly businessId: string | null;
}

const recipientShape = /^(-?[1-9]\d{0,15}|@[A-Za-z]\w{3,31})(?:\/([A-Za-z0-9_-]{1,128}))?$/;

/** The form in which `to`, `from` and threads name a chat: `700000001`, or `700000001/<business connection>`. */
export function writeRecipient(chat: ChatAddress): string {
  return chat.businessId === null ? chat.chatId : `${chat.chatId}/${chat.businessId}`;
}

/** Reads what `writeRecipient` wrote or a user typed; `null` when it can't be a chat. */
export function readRecipient(to: string): ChatAddress | null {
  const [, chatId, businessId] = recipientShape.exec(to) ?? [];
  return chatId === undefined ? null : { chatId, businessId: businessId ?? null };
}

/** A message's id on the wire. Telegram counts them per chat. */
export function writeMessageId(messageId: number): string {
  return String(messageId);
}

/** The id of an edit, which Telegram gives none: a message is edited again and again. */
export function writeEditId(messageId: string, seconds: number): string {
  return `${messageId}.${seconds}`;
}

/** Reads what `writeMessageId` wrote; `null` for other ids of Telegram, such as that of a button's press. */
export function readMessageId(text: string): number | null {
  const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  return id > 0 && id < 2 ** 31 ? id : null;
}

/** Telegram carries no more bytes of a button's id. */
const mostButtonBytes = 64;
const placeMark = "thikaa:";

/** What a button carries: its own id where that fits, else its place under its message (a UUID). */
export function writeButtonData(button: { id: string; messageId: string; place: number }): string {
  const fits = Buffer.byteLength(button.id) <= mostButtonBytes && !button.id.startsWith(placeMark);
  return fits ? button.id : `${placeMark}${button.messageId}:${button.place}`;
}

/** The place that `writeButtonData` wrote; `null` where it wrote an id. */
export function readButtonPlace(data: string): { message_id: string; place: number } | null {
  const [, messageId, place] = /^thikaa:([0-9a-f-]{36}):(\d{1,3})$/.exec(data) ?? [];
  return messageId === undefined ? null : { message_id: messageId, place: Number(place) };
}

/** The key by which a repeated update is known; `place` counts the items of an update that tells of several. */
export function writeUpdateKey(updateId: number, place = 0): string {
  return place === 0 ? String(updateId) : `${updateId}.${place}`;
}

/** The place that `writeUpdateKey` wrote. */
export function readUpdatePlace(key: string): number {
  return Number(/\.(\d+)$/.exec(key)?.[1] ?? 0);
}
