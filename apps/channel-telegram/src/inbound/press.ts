// Presses of buttons: what they say, and the answer without which the person's button spins.
import type { Converted } from "@thikaa/schema";
import { readButtonPlace, writeMessageId } from "../ids.ts";
import { callbackQuery, update } from "../platform/types.ts";
import type { TelegramCallbackQuery } from "../platform/types.ts";
import { emptyMessage, notice } from "./parts.ts";
import { addressOf, writerOf } from "./people.ts";
import { kindOf } from "./raw-items.ts";

/** A pressed button: the message it stood under is what it answers. */
export function convertPress(body: unknown, kind: string): Converted {
  const parsed = callbackQuery.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const press = parsed.data;
  const { message: under, data = "", from } = press;
  const title = titleOf(press);
  const of = readButtonPlace(data);
  return {
    ...emptyMessage,
    // A button of a message sent "via" the bot elsewhere: there is no chat to answer in.
    from: addressOf(under?.chat ?? from, under?.business_connection_id),
    ...writerOf({ chat: under?.chat ?? { id: from.id }, from }),
    type: "button_reply",
    text: title,
    button: { id: data, title, ...(of === null ? {} : { of }) },
    reply_to: under === undefined ? null : writeMessageId(under.message_id),
    provider_message_id: press.id,
  };
}

/** The id of the press that an update tells of; `null` when it tells of none. Never throws. */
export function pressOf(value: unknown): string | null {
  const parsed = update.safeParse(value);
  const [kind, body] = parsed.success ? kindOf(parsed.data) : ["", null];
  const press = kind === "callback_query" ? callbackQuery.safeParse(body) : undefined;
  return press?.data?.id ?? null;
}

function titleOf(press: TelegramCallbackQuery): string | null {
  const buttons = press.message?.reply_markup?.inline_keyboard.flat() ?? [];
  return (
    buttons.find(
      (button) => button.callback_data !== undefined && button.callback_data === press.data,
    )?.text ?? null
  );
}
