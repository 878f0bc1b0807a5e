// The calls that carry no file: each is a JSON request.
import type { Api } from "grammy";

type Signal = NonNullable<Parameters<Api["getMe"]>[0]>;
type Raw = Api["raw"];

/** The methods, by their names at Telegram. */
export const plainMethods = [
  "sendMessage",
  "sendLocation",
  "sendVenue",
  "sendContact",
  "sendChatAction",
  "editMessageText",
  "editMessageCaption",
  "deleteMessage",
  "deleteBusinessMessages",
  "setMessageReaction",
  "answerCallbackQuery",
] as const;
export type PlainMethod = (typeof plainMethods)[number];

/** One call with its parameters as Telegram names them. */
export type PlainCall = {
  [Method in PlainMethod]: { readonly method: Method } & Parameters<Raw[Method]>[0];
}[PlainMethod];

/** Makes the call; resolves to its result. */
export function makePlainCall(api: Api, call: PlainCall, signal: Signal): Promise<unknown> {
  const { raw } = api;
  switch (call.method) {
    case "sendMessage":
      return raw.sendMessage(parametersOf(call), signal);
    case "sendLocation":
      return raw.sendLocation(parametersOf(call), signal);
    case "sendVenue":
      return raw.sendVenue(parametersOf(call), signal);
    case "sendContact":
      return raw.sendContact(parametersOf(call), signal);
    case "sendChatAction":
      return raw.sendChatAction(parametersOf(call), signal);
    case "editMessageText":
      return raw.editMessageText(parametersOf(call), signal);
    case "editMessageCaption":
      return raw.editMessageCaption(parametersOf(call), signal);
    case "deleteMessage":
      return raw.deleteMessage(parametersOf(call), signal);
    case "deleteBusinessMessages":
      return raw.deleteBusinessMessages(parametersOf(call), signal);
    case "setMessageReaction":
      return raw.setMessageReaction(parametersOf(call), signal);
    case "answerCallbackQuery":
      return raw.answerCallbackQuery(parametersOf(call), signal);
  }
}

function parametersOf<Call extends PlainCall>({ method: _method, ...parameters }: Call) {
  return parameters;
}
