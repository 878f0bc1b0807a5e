// The question that scales a channel app, asked of a real database.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { createTestDatabase } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const file = join(import.meta.dirname, "../components/keda/channel-telegram.yaml");
const schema = z.object({
  spec: z.object({
    triggers: z.array(z.object({ metadata: z.object({ query: z.string().optional() }) })),
  }),
});

function query(): string {
  const [document] = parseAllDocuments(readFileSync(file, "utf8"));
  const { spec } = schema.parse(document?.toJS());
  return spec.triggers.flatMap(({ metadata }) => metadata.query ?? []).join(";");
}

test("it counts what its channel could send now, and nothing else", async () => {
  const testDatabase = await createTestDatabase({ name: "queue_depth" });
  const database = new Database({ url: testDatabase.url, applicationName: "test" });
  try {
    await database.query({
      text: `
      INSERT INTO stores (id, slug, name, plan) VALUES (uuidv7(), 'basra', 'Basra', 'professional');
      INSERT INTO connections (store_id, id, channel, name, environment, state, credentials_sealed, webhook_secret_sealed)
        SELECT id, uuidv7(), channel, channel || state, 'live', state, '', '' FROM stores,
          (VALUES ('tg', 'connected'), ('tg', 'attention'), ('wa', 'connected')) AS wanted (channel, state);
      INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at)
        SELECT store_id, uuidv7(), id, '700000001', now() + due * interval '1 hour', now() + interval '1 day'
        FROM connections, (VALUES (-1), (-1), (1)) AS wanted (due)`,
    });
    expect((await database.query({ text: query() })).rows).toEqual([{ count: 2 }]);
  } finally {
    await database.close();
    await testDatabase.close();
  }
});
