// Lanes: a lane is (connection, recipient); its head is the one message of it that may be sent next.
import type { Database } from "@thikaa/db";

/**
 * SQL: the head of the lane `lane (connection_id, address)`, to be joined laterally. The first row of the lane, passing over
 * those that have been failing for over 5 minutes and wait for their next try. One look into an index, whatever waits behind.
 */
export const headOfLane = `SELECT q.message_id, q.worker IS NULL AND q.due_at <= now() AND q.deadline_at > now() AS claimable FROM send_queue q
             WHERE q.connection_id = lane.connection_id AND NOT q.scheduled AND q.address = lane.address
               AND (q.worker IS NOT NULL OR q.due_at <= now() OR q.first_failed_at IS NULL OR q.first_failed_at > now() - interval '5 minutes')
             ORDER BY q.seq LIMIT 1`;

/** Where to go on looking among a connection's lanes; `''` is before the first one. */
export interface LaneCursor {
  readonly connectionId: string;
  readonly after: string;
}

export interface FoundLanes {
  /** Recipients to whom a message could be sent now. */
  readonly addresses: string[];
  /** Where to go on; `null` when the last lane was seen. */
  readonly after: string | null;
}

/**
 * Looks at the next lanes of each connection, at most `lanes` of each, and tells which of them have something to send now.
 * Its cost is that of the lanes looked at, however long they are. A connection without any further lane is left out.
 */
export async function findLanes(
  database: Database,
  cursors: readonly LaneCursor[],
  lanes: number,
): Promise<Map<string, FoundLanes>> {
  if (cursors.length === 0) return new Map();
  const { rows } = await database.query<{
    connection_id: string;
    addresses: string[] | null;
    last: string;
    seen: number;
  }>({
    ...findStatement,
    values: [
      cursors.map(({ connectionId }) => connectionId),
      cursors.map(({ after }) => after),
      lanes,
    ],
  });
  return new Map(
    rows.map((row) => [
      row.connection_id,
      { addresses: row.addresses ?? [], after: row.seen < lanes ? null : row.last },
    ]),
  );
}

/** Scheduled messages of these connections whose time has come join their lanes, behind what is in them. */
export async function joinLanes(
  database: Database,
  connectionIds: readonly string[],
): Promise<void> {
  await database.query({
    name: "lanes-join",
    text: "UPDATE send_queue SET scheduled = false, seq = DEFAULT WHERE connection_id = ANY($1) AND scheduled AND due_at <= now()",
    values: [connectionIds],
  });
}

const nextLane = (before: string, after: string) =>
  `CROSS JOIN LATERAL (SELECT q.address FROM send_queue q WHERE q.connection_id = ${before}.connection_id AND NOT q.scheduled AND q.address > ${before}.${after} ORDER BY q.address LIMIT 1) next`;

export const findStatement = {
  name: "lanes-find",
  text: `WITH RECURSIVE lane AS (
           SELECT given.connection_id, next.address, 1 AS place FROM unnest($1::uuid[], $2::text[]) AS given (connection_id, after) ${nextLane("given", "after")}
           UNION ALL
           SELECT lane.connection_id, next.address, lane.place + 1 FROM lane ${nextLane("lane", "address")} WHERE lane.place < $3
         )
         SELECT lane.connection_id, array_agg(lane.address ORDER BY lane.place) FILTER (WHERE head.claimable) AS addresses,
           max(lane.address) AS last, count(*)::int AS seen
         FROM lane LEFT JOIN LATERAL (${headOfLane}) head ON true GROUP BY lane.connection_id`,
};
