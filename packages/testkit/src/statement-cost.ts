// What a statement costs PostgreSQL, counted by its own plan: unlike times, it is the same on every machine.
import type { Queryable } from "@thikaa/db";
import { z } from "zod";

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

export interface StatementCost {
  /** Rows of the table that were examined, those that were passed over too. */
  readonly rows: number;
  /** Pages of 8 KiB that were touched, of every table. */
  readonly pages: number;
  /** The ways in which the table was read, as PostgreSQL calls them: `Index Scan`, `Bitmap Heap Scan`, … */
  readonly scans: ReadonlySet<string>;
}

/** Runs a statement under EXPLAIN ANALYZE and tells what it cost; `table` is counted with its partitions. */
export async function statementCost(
  database: Queryable,
  statement: { readonly text: string; readonly values: readonly unknown[] },
  table: string,
): Promise<StatementCost> {
  const { rows } = await database.query<{ "QUERY PLAN": unknown }>({
    text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`,
    values: statement.values,
  });
  const [{ Plan: plan }] = z.tuple([z.object({ Plan: planNode })]).parse(rows[0]?.["QUERY PLAN"]);
  const scans = nodesOf(plan).filter(
    (node) => node["Relation Name"]?.startsWith(table) && node["Node Type"].endsWith("Scan"),
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
