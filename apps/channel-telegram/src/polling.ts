// Polling one bot: the offset goes on only after its updates were committed here.
import type { PollingFacet, RawItem } from "@thikaa/connector-kit";
import { pressOf } from "./inbound/press.ts";
import { itemsOf } from "./inbound/raw-items.ts";
import type { TelegramClient } from "./platform/client.ts";
import { faultOf, TelegramCallError } from "./platform/errors.ts";
import { update } from "./platform/types.ts";

const pollSeconds = 25;
/** Long enough for another program that polls the same bot to end this poll with its own. */
const probeSeconds = 4;

export class TelegramPolling implements PollingFacet {
  readonly #client: TelegramClient;
  /** The first update that is not committed; `null` takes whatever Telegram still keeps. */
  #offset: number | null = null;
  #fetchedTo: number | null = null;
  /** Presses of the last poll; each is answered once its item is committed. */
  #presses: readonly string[] = [];
  /** The last poll failed: the next one is short, since only an answer tells that the bot hears again. */
  #probing = false;

  constructor(client: TelegramClient) {
    this.#client = client;
  }

  async poll(signal: AbortSignal): Promise<readonly RawItem[]> {
    try {
      const seconds = this.#probing ? probeSeconds : pollSeconds;
      const updates = await this.#client.getUpdates({ offset: this.#offset, seconds, signal });
      this.#probing = false;
      const last = updates
        .map((value) => update.safeParse(value))
        .findLast((parsed) => parsed.success);
      this.#fetchedTo = last === undefined ? null : last.data.update_id;
      this.#presses = updates.flatMap((value) => pressOf(value) ?? []);
      return updates.flatMap((value) => itemsOf(value, JSON.stringify(value)));
    } catch (error) {
      this.#probing = true;
      throw error instanceof TelegramCallError ? faultOf(error) : error;
    }
  }

  committed(): void {
    if (this.#fetchedTo !== null) this.#offset = this.#fetchedTo + 1;
    for (const id of this.#presses) void this.#answer(id);
    this.#presses = [];
  }

  /** Ends the button's spinning. Nothing depends on it: a press that is too old can't be answered any more. */
  async #answer(id: string): Promise<void> {
    await this.#client
      .call({ method: "answerCallbackQuery", callback_query_id: id })
      .catch(() => undefined);
  }
}
