// What a decision rests on beside its request: the key's holder, the store's connections, the channels. From memory, or anew where a refusal would rest on it.
import type { KeyHolder } from "@thikaa/db";
import { ApiError } from "@thikaa/schema";
import type { ErrorCode } from "@thikaa/schema";
import type { Admitted } from "../admission/admit.ts";
import type { KeyDirectory } from "../admission/key-directory.ts";
import type { StoreDirectory, StoreView } from "../admission/store-directory.ts";

export interface Standing extends StoreView {
  readonly holder: KeyHolder;
}

export interface StandingParts {
  readonly keys: KeyDirectory;
  readonly stores: StoreDirectory;
}

/** What is refused for a key's or a store's standing, which may have changed a moment ago. */
const restOnStanding: ReadonlySet<ErrorCode> = new Set([
  "insufficient_balance",
  "channel_not_allowed",
  "channel_not_connected",
]);

/** Decides by what is remembered. What would be refused for that is decided once more, by what the tables say now. */
export async function decideBy<Decision>(
  parts: StandingParts,
  { holder, apiKey }: Admitted,
  decide: (standing: Standing) => Decision,
): Promise<Decision> {
  const remembered = parts.stores.view(holder.storeId);
  const store = remembered instanceof Promise ? await remembered : remembered;
  try {
    return decide({ ...store, holder });
  } catch (refusal) {
    if (!(refusal instanceof ApiError && restOnStanding.has(refusal.code))) throw refusal;
    const [holderNow, connections] = await Promise.all([
      parts.keys.findAnew(apiKey),
      parts.stores.connectionsAnew(holder.storeId),
    ]);
    if (holderNow === null) throw new ApiError("invalid_api_key");
    return decide({ ...store, connections, holder: holderNow });
  }
}

/** Throws when the key's store may not do anything. */
export function requireActive({ holder }: Standing): void {
  if (holder.storeStatus !== "active")
    throw new ApiError("insufficient_balance", { message: "The store is inactive." });
}
