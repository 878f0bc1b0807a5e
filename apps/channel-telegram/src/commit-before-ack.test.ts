// What came in is acknowledged only once it is committed: while it can't be, no poll confirms it and no post gets its 200.
import type { Database } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import { deferred, freePort, waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addBot, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

const started = ["/start", "/start"];

test("a poll is followed by another one only after its updates are committed", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilTexts(connection, started);
  const polls = () => telegram.record.calls({ botId: bot.id, method: "getUpdates" });
  const open = await lockItems(world.database);
  const last = polls().at(-1)?.n ?? 0;
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "not yet stored" });
  await untilWaiting(world.database);
  expect(polls().filter(({ n }) => n > last)).toEqual([]);
  await open();
  await world.untilTexts(connection, [...started, "not yet stored"]);
  await waitFor(() => polls().some(({ n }) => n > last), { what: "the next poll" });
});

test("a post is answered 200 only after its update is committed", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  await world.start(telegram, { webhookBase: base, http: { host: "127.0.0.1", port } });
  await world.untilTexts(connection, started);
  const open = await lockItems(world.database);
  let answered: number | null = null;
  const posting = fetch(`${base}/hooks/tg/${toWireId("connection", connection.id)}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-telegram-bot-api-secret-token": world.webhookSecret,
    },
    body: JSON.stringify({
      update_id: 900,
      message: {
        message_id: 7,
        date: 1_781_000_000,
        chat: { id: zainab.id, type: "private" },
        from: { id: zainab.id, is_bot: false, first_name: "Z" },
        text: "posted",
      },
    }),
  }).then(({ status }) => (answered = status));
  await untilWaiting(world.database);
  expect(answered).toBeNull();
  await open();
  expect(await posting).toBe(200);
  await world.untilTexts(connection, [...started, "posted"]);
});

/** Nothing that comes in can be stored until the lock is opened again. */
async function lockItems(database: Database): Promise<() => Promise<void>> {
  const [locked, opening] = [deferred(), deferred()];
  const done = database.transaction(async (transaction) => {
    await transaction.query({ text: "LOCK TABLE inbound_items IN ACCESS EXCLUSIVE MODE" });
    locked.resolve();
    await opening.promise;
  });
  await locked.promise;
  return async () => {
    opening.resolve();
    await done;
  };
}

/** Something waits to be stored, and a hasty acknowledgement would have had time to go out. */
async function untilWaiting(database: Database): Promise<void> {
  const since = await waitFor(
    async () => {
      const { rows } = await database.query<{ waiting: boolean }>({
        text: "SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() WHERE NOT l.granted) AS waiting",
      });
      return rows[0]?.waiting === true && performance.now();
    },
    { what: "what came in to wait for the lock" },
  );
  await waitFor(() => performance.now() - since > 500, { what: "half a second" });
}
