// A provider that posts: a channel process dies after it stored an update and before its 200, and the update comes again.
import { startFaultProxy, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import type { Lane } from "../house.ts";
import type { ServicesHouse } from "../services-house.ts";
import { toldTo } from "../told.ts";
import { alone, killAndReplace } from "./crash-points.ts";

/** Bots post to https only, and only its beginning is looked at: here the test itself posts, as Telegram does, until it gets a 200. */
const publicUrl = "https://webhooks.invalid";
const firstUpdate = 900_000_000;

export function webhookDoorScene(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  test(
    "kill -9 at the point where a posted update is committed and not yet answered: it is told once",
    async () => {
      const { house } = stage;
      house.extra["PUBLIC_URL"] = publicUrl;
      await restartChannel(house);
      const [lane] = house.lanes;
      if (lane === undefined) throw new Error("There is nobody to write.");
      await waitFor(() => hookOf(house, lane) !== undefined, { what: "the bot's webhook" });
      const texts: string[] = [];
      try {
        for (let crash = 1; crash <= settings.crashesOfEach; crash += 1) {
          const text = `posted ${crash}`;
          texts.push(text);
          await crashBeforeAnswer(house, { lane, text, updateId: firstUpdate + crash });
        }
      } finally {
        delete house.extra["PUBLIC_URL"];
        await restartChannel(house);
      }
      const { events } = toldTo(house);
      expect(texts.map((text) => [text, events.get(text)?.size])).toEqual(
        texts.map((text) => [text, 1]),
      );
      stage.ground.note("before-200", null, { crashes: texts.length });
    },
    settings.sceneMs,
  );
}

interface Update {
  readonly lane: Lane;
  readonly text: string;
  readonly updateId: number;
}

async function crashBeforeAnswer(house: ServicesHouse, update: Update): Promise<void> {
  const door = await startFaultProxy({ target: house.services.of("channel")[0]?.url ?? "" });
  await door.set({ kind: "blackHole", direction: "answers" });
  const unanswered = post(house, door.url, update);
  await waitFor(() => toldTo(house).events.has(update.text), {
    what: "the posted update to be told",
    deadlineMs: 20_000,
  });
  await killAndReplace(house, "channel");
  await door.close();
  expect(await unanswered).toBeNull();
  const url = house.services.of("channel")[0]?.url ?? "";
  await waitFor(async () => (await post(house, url, update)) === 200, {
    what: "the update to be taken when it comes again",
    deadlineMs: 30_000,
  });
}

/** Posts an update with the secret that the bot was given; `null` without an answer. */
async function post(house: ServicesHouse, base: string, update: Update): Promise<number | null> {
  const hook = hookOf(house, update.lane);
  const person = { id: update.lane.personId, first_name: "Person" };
  const response = await fetch(new URL(new URL(String(hook?.parameters["url"])).pathname, base), {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Telegram-Bot-Api-Secret-Token": String(hook?.parameters["secret_token"]),
    },
    body: JSON.stringify({
      update_id: update.updateId,
      message: {
        message_id: update.updateId,
        date: Math.floor(Date.now() / 1_000),
        chat: { ...person, type: "private" },
        from: { ...person, is_bot: false },
        text: update.text,
      },
    }),
    signal: AbortSignal.timeout(30_000),
  }).catch(() => null);
  return response?.status ?? null;
}

/** The bot's last setWebhook, as the stand-in got it. */
function hookOf({ standIn }: ServicesHouse, { bot }: Lane) {
  return standIn.record.calls({ botId: bot.botId, method: "setWebhook" }).at(-1);
}

async function restartChannel(house: ServicesHouse): Promise<void> {
  await house.services.scale("channel", 0);
  await alone(house);
}
