// The state of the house in one answer: stores, workers, connections by state, lengths of the queues.
import { listConnections } from "@thikaa/db";
import { ok } from "./route.ts";
import type { Answer, Route } from "./route.ts";
import type { House } from "../house.ts";
import { connectionView } from "./connection-view.ts";

interface Counts {
  readonly stores: number;
  readonly send_queue: number;
  readonly send_queue_due: number;
  readonly inbound_items: number;
  readonly events_unnumbered: number;
  readonly delivery_queue: number;
  readonly inbound_unrouted_today: number;
}

const countAll = `SELECT
  (SELECT count(*)::int FROM stores) AS stores,
  (SELECT count(*)::int FROM send_queue) AS send_queue,
  (SELECT count(*)::int FROM send_queue WHERE due_at <= now()) AS send_queue_due,
  (SELECT count(*)::int FROM inbound_items) AS inbound_items,
  (SELECT count(*)::int FROM events_unnumbered) AS events_unnumbered,
  (SELECT count(*)::int FROM delivery_queue) AS delivery_queue,
  (SELECT count(*)::int FROM inbound_unrouted WHERE received_at > now() - interval '1 day') AS inbound_unrouted_today`;

const livingWorkers = `SELECT role, count(*)::int AS count, array_agg(DISTINCT host) AS hosts, min(started_at) AS since
  FROM workers WHERE expires_at > now() GROUP BY role ORDER BY role`;

async function status(house: House): Promise<Answer> {
  const [counts, workers, connections] = await Promise.all([
    house.database.query<Counts & { [column: string]: unknown }>({ text: countAll }),
    house.database.query<{ role: string; count: number; hosts: string[]; since: Date }>({
      text: livingWorkers,
    }),
    listConnections(house.database),
  ]);
  const { stores, ...queues } = counts.rows[0] ?? { stores: 0 };
  const byState = Map.groupBy(connections, (connection) => connection.state);
  return ok({
    environment: house.config.environment,
    sandbox: house.config.sandbox,
    public_url: house.config.publicUrl,
    nats: house.bus.connected,
    stores,
    workers: workers.rows.map((worker) => ({ ...worker, since: worker.since.toISOString() })),
    connections: Object.fromEntries([...byState].map(([state, list]) => [state, list.length])),
    attention: (byState.get("attention") ?? []).map(connectionView),
    queues,
  });
}

export const statusRoutes: readonly Route[] = [{ method: "GET", path: "/status", handle: status }];
