// One thing that came in, as the provider said it.

/** An update of the provider, before conversion. It is stored once by (connection, key). */
export interface RawItem {
  /**
   * The provider's name of the account it is for (as `identify` claims it), where one posted body may hold items of
   * several: the host finds the connection. Absent when it is for the connection that it came in by.
   */
  readonly account?: string;
  /** The provider's own id of this item: the same in every repeat of it, and in no other item of the connection within 7 days. */
  readonly key: string;
  /** The conversation it belongs to; items of one thread are handled in the order in which they were received. */
  readonly thread: string;
  /** The item's own part of what came, unchanged. */
  readonly raw: Uint8Array | string;
}
