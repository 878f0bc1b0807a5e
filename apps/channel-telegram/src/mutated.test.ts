// 10,000 updates gone wrong, with the right secret: none is answered with an error of ours, none is lost, and the app goes on.
import { toWireId } from "@thikaa/schema";
import { freePort } from "@thikaa/testkit";
import { Pool } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutatedBodies } from "./fixtures/mutations.ts";
import { addBot, World, zainab } from "./fixtures/world.ts";
import { splitBody } from "./inbound/raw-items.ts";

const count = 10_000;
const seed = 20_261_122;

let world: World;
let connection: { id: string; storeId: string };
let hook: { post(body: Uint8Array, secret: string): Promise<number> };
beforeAll(async () => {
  world = await World.create();
  const telegram = await world.standIn();
  connection = await world.connect(addBot(telegram).token);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const base = `http://127.0.0.1:${port}`;
  await world.start(telegram, {
    webhookBase: base,
    http: { host: "127.0.0.1", port, metricsPort },
    logLevel: "error",
  });
  await world.untilState(connection, "connected");
  const pool = new Pool(base, { connections: 16 });
  world.closeLater(() => pool.close());
  const path = `/hooks/tg/${toWireId("connection", connection.id)}`;
  hook = {
    async post(body, secret) {
      const headers = { "x-telegram-bot-api-secret-token": secret };
      const answer = await pool.request({ path, method: "POST", headers, body });
      await answer.body.dump();
      return answer.statusCode;
    },
  };
}, 60_000);
afterAll(() => world.close());

async function countRows(text: string): Promise<number> {
  const { rows } = await world.database.query<{ n: number }>({ text, values: [connection.id] });
  return rows[0]?.n ?? 0;
}

test(
  "every one is answered 200 and kept, and what follows goes on",
  { timeout: 300_000 },
  async () => {
    const keys = new Set<string>();
    const refused: string[] = [];
    const bodies = mutatedBodies(seed, count);
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const body of bodies) {
          for (const { key } of splitBody(body)) keys.add(key);
          const status = await hook.post(body, world.webhookSecret);
          if (status !== 200) refused.push(Buffer.from(body).toString("utf8"));
        }
      }),
    );
    expect(refused).toEqual([]);
    // Nearly all are known by a number of their own: the count tells something.
    expect(keys.size).toBeGreaterThan(count * 0.97);
    const { rows } = await world.database.query<{ key: string }>({
      text: "SELECT key FROM inbound_keys WHERE connection_id = $1",
      values: [connection.id],
    });
    const kept = new Set(rows.map(({ key }) => key));
    expect([...keys].filter((key) => !kept.has(key))).toEqual([]);

    const notConverted =
      "SELECT count(*)::int AS n FROM inbound_items WHERE connection_id = $1 AND converted ->> 'reason' = 'not_converted'";
    expect(await countRows(notConverted)).toBe(0);
    const messages =
      "SELECT count(*)::int AS n FROM inbound_items WHERE connection_id = $1 AND converted ->> 'kind' = 'message'";
    // Most are still readable: what is whole in them goes on.
    expect(await countRows(messages)).toBeGreaterThan(count / 3);
  },
);

test("with a wrong secret each is 401, and nothing is stored", async () => {
  const before = await countRows(
    "SELECT count(*)::int AS n FROM inbound_keys WHERE connection_id = $1",
  );
  for (const body of mutatedBodies(seed + 1, 100))
    expect(await hook.post(body, `${world.webhookSecret}x`)).toBe(401);
  expect(
    await countRows("SELECT count(*)::int AS n FROM inbound_keys WHERE connection_id = $1"),
  ).toBe(before);
});

test("afterwards a person is heard as before", async () => {
  const update = {
    update_id: 9_000_000,
    message: {
      message_id: 77,
      date: 1_781_000_000,
      chat: { id: zainab.id, type: "private" },
      from: { id: zainab.id, is_bot: false, first_name: "Z" },
      text: "ما زلتم هنا؟",
    },
  };
  expect(await hook.post(Buffer.from(JSON.stringify(update)), world.webhookSecret)).toBe(200);
  expect((await world.texts(connection)).at(-1)).toBe("ما زلتم هنا؟");
});
