// The delivery queue: what a claim costs, and what becomes of deliveries whose worker or endpoint is no more.
import { createTestDatabase } from "@thikaa/testkit";
import { newId } from "@thikaa/schema";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  claimDeliveries,
  Database,
  endDeliveries,
  recoverDeliveries,
  surveyDeliveries,
} from "./index.ts";
import type { Queryable, Statement } from "./index.ts";

const worker = newId();
const shard = { shard: 3, epoch: 1 };
let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
let storeId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "deliveries" });
  database = new Database({ url: testDatabase.url, applicationName: "test" });
  await run(
    "INSERT INTO workers (id, role, host, expires_at) VALUES ($1, 'webhooks', 'here', now() + interval '1 hour')",
    [worker],
  );
  await run(
    "INSERT INTO assignments (kind, key, worker, epoch) VALUES ('webhook-shard', '3', $1, 1)",
    [worker],
  );
  storeId = newId();
  await run("INSERT INTO stores (id, slug, name, plan) VALUES ($1, 'one', 'One', 'professional')", [
    storeId,
  ]);
});
beforeEach(() => run("TRUNCATE delivery_queue"));
afterAll(async () => {
  await database.close();
  await testDatabase.close();
});

const run = (text: string, values: readonly unknown[] = []) => database.query({ text, values });

/** Endpoints with so many deliveries each, all due. */
async function addEndpoints(count: number, queued: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId());
  await run(
    "INSERT INTO endpoints (store_id, id, url, secret_sealed) SELECT $1, id, 'https://example.com/', 'sealed' FROM unnest($2::uuid[]) AS e (id)",
    [storeId, ids],
  );
  await run(
    `INSERT INTO delivery_queue (delivery_id, store_id, endpoint_id, event_id, shard, due_at)
     SELECT gen_random_uuid(), $1, e.id, gen_random_uuid(), 3, now() - n * interval '1 millisecond' FROM unnest($2::uuid[]) AS e (id), generate_series(1, $3) AS n`,
    [storeId, ids, queued],
  );
  await run("ANALYZE delivery_queue");
  return ids;
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows the tables gave to a statement, and how many blocks were touched for them. */
async function costOf(
  work: (explained: Queryable) => Promise<unknown>,
): Promise<{ rows: number; blocks: number }> {
  const plans: PlanNode[] = [];
  const explain = async (statement: Statement) => {
    const text = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`;
    const { rows } = await database.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>({
      text,
      values: statement.values ?? [],
    });
    plans.push(...(rows[0]?.["QUERY PLAN"] ?? []).map(({ Plan }) => Plan));
  };
  await work({
    query: async (statement) => {
      await explain(statement);
      return { rows: [], rowCount: 0, command: "", oid: 0, fields: [] };
    },
  });
  const [plan] = plans;
  if (plan === undefined) throw new Error("Nothing was planned.");
  return {
    rows: rowsRead(plan),
    blocks: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
  };
}

function rowsRead(node: PlanNode): number {
  const own = /^(Seq|Index|Index Only|Bitmap Heap|Tid) Scan$/.test(node["Node Type"])
    ? (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"]
    : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), own);
}

const costOfClaim = (endpointIds: readonly string[], room: number) =>
  costOf((explained) =>
    claimDeliveries(explained, {
      worker,
      lanes: endpointIds.map((endpointId) => ({ ...shard, endpointId, room })),
    }),
  );

test("a claim costs the same with 100 queued for a dead endpoint, with 100,000, and with 1,000 endpoints that each have 100", async () => {
  const [dead] = await addEndpoints(1, 100);
  const healthy = await addEndpoints(5, 4);
  if (dead === undefined) throw new Error("unreachable");
  const few = { healthy: await costOfClaim(healthy, 2), probe: await costOfClaim([dead], 1) };
  await addEndpoints(1, 100_000);
  await run("UPDATE delivery_queue SET endpoint_id = $1 WHERE endpoint_id <> ALL ($2)", [
    dead,
    healthy,
  ]);
  await run("VACUUM ANALYZE delivery_queue");
  const deep = { healthy: await costOfClaim(healthy, 2), probe: await costOfClaim([dead], 1) };
  const [first] = await addEndpoints(1_000, 100);
  if (first === undefined) throw new Error("unreachable");
  const others = await addEndpoints(5, 4);
  const wide = { healthy: await costOfClaim(others, 2), probe: await costOfClaim([first], 1) };
  for (const kind of ["healthy", "probe"] as const) {
    const words = `${kind}: ${JSON.stringify([few[kind], deep[kind], wide[kind]])}`;
    // Of a table of one page the planner reads all rows, which is cheaper still: only more than that is a fault.
    for (const { rows, blocks } of [deep[kind], wide[kind]]) {
      expect(rows, words).toBeLessThanOrEqual(few[kind].rows * 1.3);
      // An index of many rows is a level or two deeper.
      expect(blocks, words).toBeLessThanOrEqual(few[kind].blocks * 2.5);
    }
    expect(wide[kind].rows, words).toBeLessThanOrEqual(deep[kind].rows * 1.3);
    expect(wide[kind].rows, words).toBeGreaterThanOrEqual(deep[kind].rows * 0.7);
  }
});

test("a survey reads a row for each endpoint that has something waiting, however much that is", async () => {
  const cost = () => costOf((explained) => surveyDeliveries(explained, [shard]));
  await addEndpoints(20, 5);
  const few = await cost();
  await run("TRUNCATE delivery_queue");
  await addEndpoints(20, 5_000);
  const deep = await cost();
  expect(deep.rows).toBeLessThanOrEqual(few.rows * 1.3);
  expect(await surveyDeliveries(database, [shard])).toHaveLength(20);
});

test("what a worker claimed without ever knowing it is due again after a minute; what it knows of is left alone", async () => {
  const [endpointId] = await addEndpoints(1, 3);
  if (endpointId === undefined) throw new Error("unreachable");
  const lanes = [{ ...shard, endpointId, room: 2 }];
  const claimed = await claimDeliveries(database, { worker, lanes });
  expect(claimed).toHaveLength(2);
  const recover = () =>
    recoverDeliveries(database, {
      worker,
      shards: [shard],
      underWay: claimed.slice(1).map(({ deliveryId }) => deliveryId),
    });
  await recover();
  expect(await waiting()).toBe(1);
  await run(
    "UPDATE delivery_queue SET claimed_at = now() - interval '2 minutes' WHERE worker IS NOT NULL",
  );
  await recover();
  expect(await waiting()).toBe(2);
});

test("what waits to a disabled endpoint is ended and says why; nothing of an active one is", async () => {
  const [dead, living] = await addEndpoints(2, 3);
  if (dead === undefined || living === undefined) throw new Error("unreachable");
  await run(
    `INSERT INTO deliveries (store_id, id, endpoint_id, event_id, sequence, last_error)
     SELECT store_id, d, endpoint_id, event_id, 1, 'The URL answered 500.' FROM delivery_queue, (SELECT $1::uuid AS d) given WHERE endpoint_id = $2 LIMIT 1`,
    [newId(), dead],
  );
  await run(
    `UPDATE delivery_queue SET delivery_id = (SELECT id FROM deliveries WHERE endpoint_id = $1)
     WHERE delivery_id = (SELECT delivery_id FROM delivery_queue WHERE endpoint_id = $1 LIMIT 1)`,
    [dead],
  );
  await run(
    "UPDATE endpoints SET status = 'disabled', disabled_reason = 'its URL answered 410 Gone' WHERE id = $1",
    [dead],
  );
  for (const endpointId of [dead, living])
    await endDeliveries(database, { shard: 3, endpointId, limit: 10 });
  expect(await waiting()).toBe(3);
  const { rows } = await database.query({
    text: "SELECT status, last_error FROM deliveries WHERE endpoint_id = $1",
    values: [dead],
  });
  expect(rows).toEqual([
    {
      status: "failed",
      last_error:
        "The URL answered 500. Not tried any more: the webhook was disabled (its URL answered 410 Gone).",
    },
  ]);
});

async function waiting(): Promise<number> {
  return (await run("SELECT 1 FROM delivery_queue WHERE worker IS NULL")).rowCount ?? 0;
}
