// Pairings: what was asked for, what the connection's owner shows of it, and how it ended; and the links that open one.
import type { ChannelCode, ConnectionReason, ConnectionState } from "@thikaa/schema";
import { shownState } from "./connection-status.ts";
import { heldBy } from "./connections.ts";
import type { ConnectionFence, ConnectionReport } from "./connections.ts";
import type { Queryable } from "./database.ts";

/** A pairing that a person asked for. */
export interface NewPairing {
  readonly id: string;
  readonly storeId: string;
  readonly connectionId: string;
  readonly askedBy: "admin" | "link";
  /** Digits; `null` for a code to scan. */
  readonly phone: string | null;
  /** After so many seconds it is over. */
  readonly lastsSeconds: number;
}

/** A pairing as the connection's owner sees it. */
export interface AskedPairing {
  readonly id: string;
  readonly phone: string | null;
  readonly leftMs: number;
}

/** A connection as whoever pairs it sees it. */
export interface PairingView {
  readonly store_id: string;
  readonly channel: ChannelCode;
  readonly name: string;
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  readonly address: string | null;
  /** Whether a pairing is under way, or waits for the owner. */
  readonly asked: boolean;
  /** What is shown now; `null` when there is nothing to be seen, or no longer. */
  readonly shown_sealed: string | null;
  readonly shown_until: Date | null;
}

/** An unexpired link, used or not. */
export interface PairingLink {
  readonly store_id: string;
  readonly connection_id: string;
  readonly used: boolean;
  readonly left_ms: number;
}

/** Asks for it. One that is under way for the same phone goes on as it is: `false`, as for a connection that is not wanted on. */
export async function askPairing(database: Queryable, pairing: NewPairing): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `WITH asked AS (
             INSERT INTO pairings AS p (store_id, connection_id, id, asked_by, phone, expires_at)
             SELECT store_id, id, $3, $4, $5, now() + make_interval(secs => $6) FROM connections WHERE store_id = $1 AND id = $2 AND desired = 'on'
             ON CONFLICT (store_id, connection_id) DO UPDATE SET id = excluded.id, asked_by = excluded.asked_by, phone = excluded.phone,
               asked_at = excluded.asked_at, expires_at = excluded.expires_at, shown_sealed = NULL, shown_until = NULL
             WHERE p.expires_at <= now() OR p.phone IS DISTINCT FROM excluded.phone
             RETURNING connection_id
           )
           UPDATE connections c SET revision = revision + 1 FROM asked WHERE c.id = asked.connection_id`,
    values: [
      pairing.storeId,
      pairing.connectionId,
      pairing.id,
      pairing.askedBy,
      pairing.phone,
      pairing.lastsSeconds,
    ],
  });
  return rowCount === 1;
}

/** Takes it back, and its link. `false` when nothing was asked for. */
export async function cancelPairing(
  database: Queryable,
  connection: { readonly storeId: string; readonly connectionId: string },
): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `WITH unlinked AS (
             DELETE FROM pairing_links WHERE store_id = $1 AND connection_id = $2
           ), cancelled AS (
             DELETE FROM pairings WHERE store_id = $1 AND connection_id = $2 RETURNING connection_id
           )
           UPDATE connections c SET revision = revision + 1 FROM cancelled WHERE c.id = cancelled.connection_id`,
    values: [connection.storeId, connection.connectionId],
  });
  return rowCount === 1;
}

/** What is asked of the connection's owner; `null` when nothing is, or its time is over. */
export async function loadPairing(
  database: Queryable,
  connectionId: string,
): Promise<AskedPairing | null> {
  const { rows } = await database.query<{ id: string; phone: string | null; left_ms: number }>({
    text: `SELECT id, phone, (extract(epoch FROM expires_at - now()) * 1000)::int AS left_ms FROM pairings
           WHERE connection_id = $1 AND expires_at > now()`,
    values: [connectionId],
  });
  const [row] = rows;
  return row === undefined ? null : { id: row.id, phone: row.phone, leftMs: row.left_ms };
}

/** Shows this in the place of what was shown; `null` shows nothing. `false` when the connection has another owner by now, or the pairing is over: then nothing was written. */
export async function showPairing(
  database: Queryable,
  fence: ConnectionFence & { readonly pairingId: string },
  shown: { readonly sealed: string; readonly until: Date } | null,
): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `UPDATE pairings p SET shown_sealed = $5, shown_until = $6 FROM connections c
           WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")} AND p.connection_id = c.id AND p.id = $4`,
    values: [
      fence.connectionId,
      fence.worker,
      fence.epoch,
      fence.pairingId,
      shown?.sealed ?? null,
      shown?.until ?? null,
    ],
  });
  return rowCount === 1;
}

/**
 * Ends it and says how: state and reason change in the moment in which it is gone, so that nobody takes an older state for
 * its end. With `linked` the connection's link is used up. Does nothing when the connection has another owner by now, or
 * another pairing.
 */
export async function endPairing(
  database: Queryable,
  fence: ConnectionFence & { readonly pairingId: string },
  end: ConnectionReport & { readonly linked: boolean },
): Promise<void> {
  await database.query({
    text: `WITH held AS MATERIALIZED (
             SELECT c.id FROM connections c WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}
           ), ended AS (
             DELETE FROM pairings p USING held WHERE p.connection_id = held.id AND p.id = $4 RETURNING p.store_id, p.connection_id
           ), used AS (
             UPDATE pairing_links l SET used_at = now() FROM ended
             WHERE $7 AND l.store_id = ended.store_id AND l.connection_id = ended.connection_id AND l.used_at IS NULL
           )
           UPDATE connections c SET state = $5, reason = $6, since = now() FROM ended WHERE c.id = ended.connection_id`,
    values: [
      fence.connectionId,
      fence.worker,
      fence.epoch,
      fence.pairingId,
      end.state,
      end.reason,
      end.linked,
    ],
  });
}

/**
 * A connection as whoever pairs it sees it; `null` when there is none, or it was removed. While a pairing is asked for, an
 * `attention` is from before it: its own comes in the moment in which the pairing is gone.
 */
export async function findPairingView(
  database: Queryable,
  connectionId: string,
): Promise<PairingView | null> {
  const { rows } = await database.query<PairingView & { [column: string]: unknown }>({
    name: "pairings-view",
    text: `SELECT c.store_id, c.channel, c.name, ${shownState}, c.address, c.asked,
             CASE WHEN c.shown_until > now() THEN c.shown_sealed END AS shown_sealed,
             CASE WHEN c.shown_until > now() THEN c.shown_until END AS shown_until
           FROM (SELECT c.id, c.store_id, c.channel, c.name, c.address, p.id IS NOT NULL AS asked, p.shown_sealed, p.shown_until,
                   CASE WHEN p.id IS NOT NULL AND c.state = 'attention' THEN 'connecting' ELSE c.state END AS state,
                   CASE WHEN p.id IS NOT NULL AND c.state = 'attention' THEN NULL ELSE c.reason END AS reason
                 FROM connections c LEFT JOIN pairings p ON p.store_id = c.store_id AND p.connection_id = c.id AND p.expires_at > now()
                 WHERE c.id = $1 AND c.desired <> 'removed') c`,
    values: [connectionId],
  });
  return rows[0] ?? null;
}

/** Makes the connection's link; an earlier one ends. */
export async function savePairingLink(
  database: Queryable,
  link: {
    readonly storeId: string;
    readonly connectionId: string;
    readonly tokenDigest: Uint8Array;
    readonly lastsSeconds: number;
  },
): Promise<Date> {
  const { rows } = await database.query<{ expires_at: Date }>({
    text: `INSERT INTO pairing_links (store_id, connection_id, token_digest, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
           ON CONFLICT (store_id, connection_id) DO UPDATE SET token_digest = excluded.token_digest, expires_at = excluded.expires_at, used_at = NULL
           RETURNING expires_at`,
    values: [link.storeId, link.connectionId, link.tokenDigest, link.lastsSeconds],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("The link was not stored.");
  return row.expires_at;
}

/** The link with this digest; `null` when there is none, its time is over, or its connection was removed. */
export async function findPairingLink(
  database: Queryable,
  tokenDigest: Uint8Array,
): Promise<PairingLink | null> {
  const { rows } = await database.query<PairingLink & { [column: string]: unknown }>({
    name: "pairing-links-find",
    text: `SELECT l.store_id, l.connection_id, l.used_at IS NOT NULL AS used, (extract(epoch FROM l.expires_at - now()) * 1000)::int AS left_ms
           FROM pairing_links l JOIN connections c ON c.store_id = l.store_id AND c.id = l.connection_id
           WHERE l.token_digest = $1 AND l.expires_at > now() AND c.desired <> 'removed'`,
    values: [tokenDigest],
  });
  return rows[0] ?? null;
}
