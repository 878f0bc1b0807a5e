// What every Bot API method is given and gives back.
import type { CallArguments } from "../call-arguments.ts";
import type { Bot, TelegramState } from "../state.ts";

/** One call of a method. */
export interface MethodCall {
  state: TelegramState;
  bot: Bot;
  callArguments: CallArguments;
  /** Aborted when the client has gone away. */
  signal: AbortSignal;
}

/** The `result` of an answer, with the remark some methods add. `json` is ready JSON text. */
export type MethodAnswer = { result: unknown; description?: string } | { json: string };

/** A method of the Bot API. Throws ApiError for an answer with `ok: false`. */
export type Method = (call: MethodCall) => MethodAnswer | Promise<MethodAnswer>;
