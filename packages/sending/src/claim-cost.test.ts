// The cost of a claim, counted in what PostgreSQL examines for it: the same however long the queue is.
import type { Queryable } from "@thikaa/db";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { claimStatement } from "./claim.ts";
import { openLane } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { longestLifeDays, recentIds } from "./id-range.ts";
import { findStatement } from "./lanes.ts";

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string | undefined;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number | undefined;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[] | undefined;
}

const planNode: z.ZodType<PlanNode> = z.object({
  "Node Type": z.string(),
  "Relation Name": z.string().optional(),
  "Actual Rows": z.number(),
  "Actual Loops": z.number(),
  "Rows Removed by Filter": z.number().optional(),
  "Shared Hit Blocks": z.number(),
  "Shared Read Blocks": z.number(),
  get Plans() {
    return z.array(planNode).optional();
  },
});

/** What a statement costs: rows of the queue that were examined, pages that were touched, ways in which the queue was read. */
interface Cost {
  readonly rows: number;
  readonly pages: number;
  readonly scans: ReadonlySet<string>;
}

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("claim_cost");
});

afterEach(() => lane.close());

const few = 100;
const many = 100_000;

test("a claim from one long lane examines as many rows with 100,000 queued as with 100", async () => {
  const [short, long] = [await queue(few, 1), await queue(many, 1)];
  const costs = [await costOfClaim(short, ["0"]), await costOfClaim(long, ["0"])];
  expectSame(costs);
  expect(costs[0]?.rows).toBeGreaterThan(0);
});

test("a claim from 100,000 lanes examines as many rows as one from 100", async () => {
  const addresses = Array.from({ length: 32 }, (_, index) => String(index));
  const [short, long] = [await queue(few, few), await queue(many, many)];
  expectSame([await costOfClaim(short, addresses), await costOfClaim(long, addresses)]);
});

test("looking for lanes costs what is looked at, not what is queued", async () => {
  const [short, long, deep] = [
    await queue(few, few),
    await queue(many, many),
    await queue(many, few),
  ];
  const look = (connectionId: string) =>
    costOf(lane.database, { ...findStatement, values: [[connectionId], [""], 64] });
  expectSame([await look(short), await look(long), await look(deep)]);
});

function expectSame([first, ...others]: readonly Cost[]): void {
  if (first === undefined) throw new Error("There is no cost to compare with.");
  for (const other of others) {
    expect([...other.scans].filter((scan) => !scan.startsWith("Index"))).toEqual([]);
    expect(other.rows / first.rows).toBeGreaterThan(0.7);
    expect(other.rows / first.rows).toBeLessThan(1.3);
    // A larger tree has a level or two more; nothing else may be touched.
    expect(other.pages / first.pages).toBeLessThan(3);
  }
}

/** A connection with so many messages queued, for so many recipients by turns. */
async function queue(messages: number, recipients: number): Promise<string> {
  const connectionId = await lane.addConnection();
  await lane.database.query({
    text: `WITH made AS (SELECT uuidv7() AS id, (n % $4)::text AS address FROM generate_series(0, $3 - 1) AS n ORDER BY n),
           written AS (
             INSERT INTO messages (store_id, id, direction, origin, connection_id, channel, address, type, content, status)
             SELECT $1, id, 'out', 'api', $2, 'tg', address, 'text', '{"text": "hello", "media": null}', 'queued' FROM made
           )
           INSERT INTO send_queue (store_id, message_id, connection_id, address, deadline_at) SELECT $1, id, $2, address, now() + interval '1 day' FROM made`,
    values: [lane.storeId, connectionId, messages, recipients],
  });
  return connectionId;
}

function costOfClaim(connectionId: string, addresses: readonly string[]): Promise<Cost> {
  const { worker, epoch } = lane.owner;
  const values = [
    worker,
    [connectionId],
    [epoch],
    addresses.map(() => connectionId),
    addresses,
    ...recentIds(longestLifeDays),
  ];
  return costOf(lane.database, { ...claimStatement, values });
}

async function costOf(
  database: Queryable,
  statement: { text: string; values: readonly unknown[] },
): Promise<Cost> {
  const { rows } = await database.query<{ "QUERY PLAN": unknown }>({
    text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`,
    values: statement.values,
  });
  const [{ Plan: plan }] = z.tuple([z.object({ Plan: planNode })]).parse(rows[0]?.["QUERY PLAN"]);
  const scans = nodesOf(plan).filter(
    (node) => node["Relation Name"] === "send_queue" && node["Node Type"].endsWith("Scan"),
  );
  return {
    rows: scans.reduce(
      (sum, node) =>
        sum + node["Actual Loops"] * (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)),
      0,
    ),
    pages: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
    scans: new Set(scans.map((node) => node["Node Type"])),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
