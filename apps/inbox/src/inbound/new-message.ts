// A message that is about to be written: a customer's, or one that the store's own people wrote in the provider's app.
import type { InboundMessage, OwnMessage } from "@thikaa/schema";
import type { ItemRow } from "./items.ts";

/** A message that is to be written. */
export interface NewMessage {
  readonly row: ItemRow;
  readonly messageId: string;
  readonly said: InboundMessage | OwnMessage;
}

/** The conversation's other side, in the form of `send`'s `to`: a person, or a group. */
export function addressOf(said: InboundMessage | OwnMessage): string {
  return said.kind === "message" ? said.from : said.to;
}
