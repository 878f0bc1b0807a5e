// The cost of a claim and of an outcome, counted in what PostgreSQL examines for it: the same however much is stored.
import { newId } from "@thikaa/schema";
import { statementCost } from "@thikaa/testkit";
import type { StatementCost } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordStatement } from "./attempts.ts";
import { claimStatement } from "./claim.ts";
import { openLane } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { longestLifeDays, recentIds } from "./id-range.ts";
import { findStatement } from "./lanes.ts";

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("claim_cost");
});

afterEach(() => lane.close());

/** Rows that are looked up one by one, by an index or by the place they were found at before. */
const oneByOne = /^(Index (Only )?Scan|Tid Scan)$/;

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
    statementCost(
      lane.database,
      { ...findStatement, values: [[connectionId], [""], 64] },
      "send_queue",
    );
  expectSame([await look(short), await look(long), await look(deep)]);
});

test("an outcome costs the same with 100,000 attempts as with 100, by a plan that was made before the first one", async () => {
  const outcomes = async () => {
    const ids = await attempts(32);
    return statementCost(
      lane.database,
      {
        ...recordStatement,
        values: [
          ids.map(() => lane.storeId),
          ids,
          ids.map(() => "sent"),
          ids.map(() => "{}"),
          ids,
          ids.map(() => 1),
          ids.map(() => lane.connectionId),
          ids,
          ids[0],
          ids.at(-1),
          ids[0],
          ids.at(-1),
        ],
      },
      "attempts",
    );
  };
  await attempts(few);
  const first = await outcomes();
  await attempts(many);
  expectSame([first, await outcomes()]);
  expect(first.rows).toBe(32);
});

function expectSame([first, ...others]: readonly StatementCost[]): void {
  if (first === undefined) throw new Error("There is no cost to compare with.");
  for (const other of others) {
    expect([...other.scans].filter((scan) => !oneByOne.test(scan))).toEqual([]);
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

/** So many attempts under way, of messages that have left the queue; their ids. */
async function attempts(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId());
  await lane.database.query({
    text: "INSERT INTO attempts (store_id, id, subject_id, part, number, epoch) SELECT $1, id, id, 1, 1, 1 FROM unnest($2::uuid[]) AS id",
    values: [lane.storeId, ids],
  });
  return ids;
}

function costOfClaim(connectionId: string, addresses: readonly string[]): Promise<StatementCost> {
  const { worker, epoch } = lane.owner;
  const values = [
    worker,
    [connectionId],
    [epoch],
    addresses.map(() => connectionId),
    addresses,
    ...recentIds(longestLifeDays),
  ];
  return statementCost(lane.database, { ...claimStatement, values }, "send_queue");
}
