// What stands around a message's content: the account it is written for, the message it answers, the buttons under it.
import type { KnownMessage } from "@thikaa/connector-kit";
import { readMessageId } from "../ids.ts";
import type { ChatAddress } from "../ids.ts";
import type { MessageFrame } from "../platform/media-calls.ts";
import type { ButtonPayload } from "./plan.ts";

/** `answered` is the message to answer, as it stands. One that Telegram does not have is left out: the words matter more. */
export function frameOf(
  { businessId }: ChatAddress,
  answered: KnownMessage | null,
  buttons: readonly ButtonPayload[] | undefined,
): MessageFrame {
  const messageId = readMessageId(answered?.parts[0]?.providerMessageId ?? "");
  return {
    ...(businessId === null ? {} : { business_connection_id: businessId }),
    ...(messageId === null
      ? {}
      : { reply_parameters: { message_id: messageId, allow_sending_without_reply: true } }),
    ...keyboardOf(buttons),
  };
}

/** One button a row: titles are read whole on any phone. */
export function keyboardOf(
  buttons: readonly ButtonPayload[] | undefined,
): Pick<MessageFrame, "reply_markup"> {
  return buttons === undefined
    ? {}
    : { reply_markup: { inline_keyboard: buttons.map((button) => [button]) } };
}
