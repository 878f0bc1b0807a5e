// Which connection something is about.
import type { ChannelCode } from "@thikaa/schema";

/** A connection by its id, and whose it is. */
export interface ConnectionIdentity {
  readonly id: string;
  readonly storeId: string;
  readonly channel: ChannelCode;
}
