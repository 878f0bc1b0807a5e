// Claims of several lanes in one transaction, when PostgreSQL refuses one of them.
import { Metrics, Worker, createLog } from "@thikaa/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Claimer } from "./claimer.ts";
import { House } from "./fixtures/house.ts";

let house: House;
beforeEach(async () => void (house = await House.open()));
afterEach(() => house.close());

test("a lane that is refused holds up no other, and its failure is told beside what was begun", async () => {
  const { database } = house;
  const connection = await house.connection();
  const worker = await Worker.start({
    database,
    role: "test",
    log: createLog({ name: "test", level: "silent" }),
    metrics: new Metrics("test"),
  });
  await database.query({
    text: "INSERT INTO assignments (kind, key, worker, epoch) VALUES ('connection', $1, $2, 1)",
    values: [connection.id, worker.id],
  });
  await house.queue(connection, ["1", "2", "3"]);
  await database.query({ text: "ALTER TABLE parts ADD CONSTRAINT test CHECK (address <> '2')" });
  const connector = { channels: [], capabilities: {}, plan: () => [{ n: 1, payload: null }] };
  const claimer = new Claimer({ database, worker, connector });
  const lanes = { connectionId: connection.id, epoch: 1, addresses: ["1", "2", "3"] };
  const { begun, failure } = await claimer.claim(lanes);
  expect(begun.map(({ to }) => to).toSorted()).toEqual(["1", "3"]);
  expect(failure).toMatchObject({ error: { constraint: "test" } });
  await worker.stop();
});
