// Polling one bot: the offset goes on only after its updates were committed here.
import type { PollingFacet, RawItem } from "@thikaa/connector-kit";
import { itemOf } from "./inbound/raw-items.ts";
import type { TelegramClient } from "./platform/client.ts";
import { faultOf, TelegramCallError } from "./platform/errors.ts";
import { update } from "./platform/types.ts";

export class TelegramPolling implements PollingFacet {
  readonly #client: TelegramClient;
  /** The first update that is not committed; `null` takes whatever Telegram still keeps. */
  #offset: number | null = null;
  #fetchedTo: number | null = null;

  constructor(client: TelegramClient) {
    this.#client = client;
  }

  async poll(signal: AbortSignal): Promise<readonly RawItem[]> {
    try {
      const updates = await this.#client.getUpdates(this.#offset, signal);
      const last = updates
        .map((value) => update.safeParse(value))
        .findLast((parsed) => parsed.success);
      this.#fetchedTo = last === undefined ? null : last.data.update_id;
      return updates.map((value) => itemOf(value, JSON.stringify(value)));
    } catch (error) {
      throw error instanceof TelegramCallError ? faultOf(error) : error;
    }
  }

  committed(): void {
    if (this.#fetchedTo !== null) this.#offset = this.#fetchedTo + 1;
  }
}
