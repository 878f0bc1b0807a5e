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

/** The key by which a repeated update is known. */
export function writeUpdateKey(updateId: number): string {
  return String(updateId);
}
