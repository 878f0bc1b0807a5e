// What each channel's app says of itself when it starts: its capabilities and its credential fields.
import { channelDescription } from "@thikaa/schema";
import type { ChannelCode, ChannelDescription } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** Writes a channel's description; its time changes only when the description does. */
export async function saveChannelDescription(
  database: Queryable,
  channel: ChannelCode,
  description: ChannelDescription,
): Promise<void> {
  await database.query({
    text: `INSERT INTO channel_descriptions AS d (channel, description) VALUES ($1, $2)
           ON CONFLICT (channel) DO UPDATE SET description = excluded.description, updated_at = now() WHERE d.description <> excluded.description`,
    values: [channel, description],
  });
}

/** The descriptions of all channels whose app has ever started; one this release can't read is left out. */
export async function readChannelDescriptions(
  database: Queryable,
): Promise<Map<ChannelCode, ChannelDescription>> {
  const { rows } = await database.query<{ channel: ChannelCode; description: unknown }>({
    text: "SELECT channel, description FROM channel_descriptions ORDER BY channel",
  });
  const read = rows.flatMap((row) => {
    const parsed = channelDescription.safeParse(row.description);
    return parsed.success ? [[row.channel, parsed.data] as const] : [];
  });
  return new Map(read);
}
