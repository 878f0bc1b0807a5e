// Cuts what Telegram sends into items, the same from a poll and from a webhook: an update is one item, or one for each message that it tells of.
import { createHash } from "node:crypto";
import type { RawItem } from "@thikaa/connector-kit";
import { writeRecipient, writeUpdateKey } from "../ids.ts";
import { update } from "../platform/types.ts";

/** Far above what Telegram tells of in one update; a made-up one must not make items without end. */
const mostDeletions = 1_000;

/** The items of an update. What has no number is kept whole under a digest of itself. Never throws. */
export function itemsOf(value: unknown, raw: string | Uint8Array): readonly RawItem[] {
  const parsed = update.safeParse(value);
  if (!parsed.success)
    return [
      {
        key: `unread:${createHash("sha256").update(raw).digest("hex")}`,
        thread: "unread",
        raw,
      },
    ];
  const thread = threadOf(parsed.data);
  return Array.from({ length: countOf(parsed.data) }, (_, place) => ({
    key: writeUpdateKey(parsed.data.update_id, place),
    thread,
    raw,
  }));
}

/** Of how many things an update tells: messages are taken back several at once. */
function countOf(found: Readonly<Record<string, unknown>>): number {
  const ids = property(found["deleted_business_messages"], "message_ids");
  return Array.isArray(ids) ? Math.max(1, Math.min(ids.length, mostDeletions)) : 1;
}

/** Cuts a webhook's body, which is one update. Never throws. */
export function splitBody(body: Uint8Array): readonly RawItem[] {
  return itemsOf(parseJson(body), body);
}

/** The value of a JSON text, or `null` when it is none. */
export function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(
      typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text),
    );
  } catch {
    return null;
  }
}

/** The chat an update is about, so that what happens in one chat stays in order; its kind when it is about none. */
function threadOf(found: Readonly<Record<string, unknown>>): string {
  const [kind, body] = kindOf(found);
  const holder = property(body, "chat") === undefined ? property(body, "message") : body;
  const chatId = property(property(holder, "chat"), "id") ?? property(property(body, "from"), "id");
  const businessId = property(holder, "business_connection_id");
  if (typeof chatId !== "number") return kind;
  return writeRecipient({
    chatId: String(chatId),
    businessId: typeof businessId === "string" ? businessId : null,
  });
}

/** An update's kind and body: its one key beside the number. */
export function kindOf(
  found: Readonly<Record<string, unknown>>,
): readonly [kind: string, body: unknown] {
  return Object.entries(found).find(([key]) => key !== "update_id") ?? ["empty", null];
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
