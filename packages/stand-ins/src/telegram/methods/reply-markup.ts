// Reads the inline keyboard of a message; other reply markups are accepted and not shown.
import { badRequest } from "../api-error.ts";
import type { CallArguments } from "../call-arguments.ts";
import type { WireButton, WireMessage } from "../wire.ts";

const LONGEST_BUTTON_DATA_BYTES = 64;

/** The keyboard in `reply_markup`, or undefined. Throws the real server's 400s for bad buttons. */
export function readInlineKeyboard(callArguments: CallArguments): WireMessage["reply_markup"] {
  if (callArguments.text("reply_markup") === "") return undefined;
  const markup = callArguments.json("reply_markup");
  if (typeof markup !== "object" || markup === null)
    throw badRequest("object expected as reply markup");
  const { inline_keyboard: rows }: Partial<Record<string, unknown>> = { ...markup };
  if (rows === undefined) return undefined;
  if (!Array.isArray(rows)) throw badRequest('field "inline_keyboard" must be of type Array');
  const keyboard = rows.map((row: unknown) => {
    if (!Array.isArray(row)) throw badRequest('field "inline_keyboard" must be an Array of Arrays');
    return row.map((button: unknown) => readButton(button));
  });
  return keyboard.some((row) => row.length > 0) ? { inline_keyboard: keyboard } : undefined;
}

function readButton(value: unknown): WireButton {
  const {
    text,
    callback_data: data,
    url,
  }: Partial<Record<string, unknown>> = typeof value === "object" ? { ...value } : {};
  if (typeof text !== "string" || text.trim() === "")
    throw badRequest("inline keyboard button text must be non-empty");
  if (typeof url === "string") {
    if (!URL.canParse(url)) throw badRequest("BUTTON_URL_INVALID");
    return { text, url };
  }
  if (typeof data !== "string")
    throw badRequest("text buttons are unallowed in the inline keyboard");
  const bytes = Buffer.byteLength(data);
  if (bytes < 1 || bytes > LONGEST_BUTTON_DATA_BYTES) throw badRequest("BUTTON_DATA_INVALID");
  return { text, callback_data: data };
}
