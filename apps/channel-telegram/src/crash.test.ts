// The app as a process of its own, killed in the middle of a call: another one takes over, loses nothing and hides nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addBot, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

const started = ["/start", "/start"];

test("after kill -9 in the middle of a call another process goes on: nothing is lost, and what may be doubled says so", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, ["--conditions=source", main], {
    env: await world.environment(telegram),
    stdio: "ignore",
  });
  world.closeLater(() => Promise.resolve(child.kill("SIGKILL")));
  await world.untilTexts(connection, started, 30_000);
  telegram.faults.add({ kind: "hang", accepted: true, method: "sendMessage" });
  const id = await world.queue(connection, zainab.id, "taken, and the process died");
  await waitFor(() => telegram.record.calls({ method: "sendMessage", accepted: true }).length > 0, {
    what: "the call to be taken",
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  await world.endLeases();
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "while nobody was there" });
  await world.start(telegram);
  await world.untilTexts(connection, [...started, "while nobody was there"], 30_000);
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: true });
  expect(telegram.record.calls({ method: "sendMessage", accepted: true })).toHaveLength(2);
}, 120_000);

test("on SIGTERM the process ends by itself within ten seconds, with nothing half done", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const child = spawn(
    process.execPath,
    ["--conditions=source", join(import.meta.dirname, "main.ts")],
    { env: await world.environment(telegram), stdio: "ignore" },
  );
  world.closeLater(() => Promise.resolve(child.kill("SIGKILL")));
  await world.untilTexts(connection, started, 30_000);
  const slow = telegram.faults.add({ kind: "delay", delayMs: 1_500, method: "sendMessage" });
  const id = await world.queue(connection, zainab.id, "in flight at the end");
  await waitFor(() => slow.hits === 1, { what: "the call to begin" });
  const begun = performance.now();
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect((await world.message(id)).status).toBe("sent");
}, 120_000);
