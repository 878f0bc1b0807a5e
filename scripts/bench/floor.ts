// The floor of a delivered send: an echo with three commits, each in batches, and one call at the provider. Nothing else.
import { Database } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import { Batcher } from "@thikaa/sending";
import { Pool } from "undici";
import { serve } from "./server.ts";

const database = new Database({ url: process.argv[3] ?? "", applicationName: "bench-floor" });
const pool = new Pool(process.argv[4] ?? "", { connections: 64 });
const options = { limit: 256, inFlight: 2 };

await database.query({
  text: "CREATE TABLE IF NOT EXISTS bench_floor (id uuid PRIMARY KEY, body jsonb NOT NULL, worker integer) WITH (fillfactor = 70)",
});

const accepting = commits<{ id: string; body: string }>(
  "INSERT INTO bench_floor (id, body) SELECT * FROM unnest($1::uuid[], $2::jsonb[])",
  (items) => [items.map(({ id }) => id), items.map(({ body }) => body)],
);
const claiming = commits("UPDATE bench_floor SET worker = 1 WHERE id = ANY($1)", column);
const settling = commits("DELETE FROM bench_floor WHERE id = ANY($1)", column);

serve(async (_path, body) => {
  JSON.parse(body);
  const id = newId();
  await accepting.add({ id, body });
  void deliver(id, body);
  return '{"ok":true}';
});

async function deliver(id: string, body: string): Promise<void> {
  await claiming.add(id);
  const headers = { "content-type": "application/json" };
  const answer = await pool.request({ path: "/bot1:x/sendMessage", method: "POST", headers, body });
  await answer.body.dump();
  await settling.add(id);
}

function column(ids: readonly string[]): unknown[] {
  return [ids];
}

/** One commit for all items of a batch. */
function commits<Item>(
  text: string,
  values: (items: readonly Item[]) => unknown[],
): Batcher<Item, true> {
  const name = text.split(" ", 1).join("");
  return new Batcher<Item, true>(async (items) => {
    await database.query({ name, text, values: values(items) });
    return items.map(() => true);
  }, options);
}
