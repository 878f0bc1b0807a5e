// The provider in trouble: what it did in the dark is called uncertain, and nothing is sent a second time in silence.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import { makeBots, makeLane, makeStore } from "../house.ts";
import type { House } from "../house.ts";
import { viewOf } from "../judge.ts";

/** Calls of which half are answered with an error, by chance. */
const halfBrokenCalls = 60;

export function providerScenes(stage: Stage<House>, name = "provider"): void {
  const { settings, random } = stage.ground;

  test(
    "after resets, truncated answers, a hang and errors half of the time nothing is lost, and every second send is flagged",
    async () => {
      const { faults } = stage.house.standIn;
      const { duplicates } = await stage.play({
        name,
        restWithinMs: 120_000,
        restMs: 500,
        strike: async () => {
          const method = "sendMessage";
          faults.add({ kind: "hang", accepted: true, method });
          // Longer than a call is waited for: it is carried out after its sender gave it up.
          if (settings.full) faults.add({ kind: "delay", delayMs: 30_000, method });
          for (const kind of ["reset_after_accept", "truncated", "reset_before_accept"] as const)
            faults.add({ kind, method, times: 3 });
          faults.add({ kind: "throttled", retryAfter: 1, method });
          for (let call = 0; call < halfBrokenCalls; call += 1)
            faults.add(
              random() < 0.5
                ? { kind: "server_error", status: pickStatus(random), accepted: true, method }
                : { kind: "delay", delayMs: 0, method },
            );
          await waitFor(() => faults.list().length === 0, {
            what: "every fault to be met",
            deadlineMs: settings.sceneMs,
          });
          await pause(500);
        },
      });
      expect(duplicates).toBeGreaterThan(0);
    },
    settings.sceneMs,
  );
}

/** A connection that leaves what is uncertain to a person. */
export function holdScene(stage: Stage<House>): void {
  const { settings } = stage.ground;

  test(
    "where a connection holds what is uncertain, the message says so and the provider is not called again",
    async () => {
      const { house } = stage;
      // A store of its own: these messages are in no scene's books.
      const holder = { ...house, ...(await makeStore(house, { slug: "holder", credits: 100 })) };
      const [bot] = await makeBots(house, {
        slug: holder.slug,
        count: 1,
        prefix: "holding",
        settings: { on_uncertain: "hold" },
      });
      if (bot === undefined) throw new Error("There is no bot.");
      const kinds = settings.full
        ? (["reset_after_accept", "reset_before_accept", "truncated", "hang"] as const)
        : (["reset_after_accept", "reset_before_accept"] as const);
      const sent = await Promise.all(
        kinds.map(async (kind, index) => {
          const { personId } = makeLane(house.standIn, bot, 800_000_000 + index);
          house.standIn.faults.add({ kind, chatId: personId, method: "sendMessage" });
          return { kind, personId, id: await send(holder, personId, bot.connectionId) };
        }),
      );
      for (const { kind, id } of sent)
        await waitFor(async () => (await viewOf(holder, id))?.status === "uncertain", {
          what: `the message to be uncertain after ${kind}`,
          deadlineMs: 30_000,
        });
      // Longer than the backoff after which anything else would be tried again.
      await pause(2_500);
      for (const { personId } of sent)
        expect(house.standIn.record.calls({ method: "sendMessage", chatId: personId }).length).toBe(
          1,
        );
    },
    settings.sceneMs,
  );
}

async function send(house: House, personId: number, connectionId: string): Promise<string> {
  const response = await fetch(`${house.gateways()[0]}/${house.slug}/api/messaging?action=send`, {
    method: "POST",
    headers: { Authorization: `Bearer ${house.apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      channel: "tg",
      to: String(personId),
      message: "held",
      connection_id: connectionId,
    }),
  });
  const { message_id } = (await response.json()) as { message_id: string };
  return message_id;
}

/** 500 is Telegram's own "not done"; the others come from proxies before it, and say nothing of what was done. */
function pickStatus(random: () => number): number {
  return [502, 503, 504][Math.floor(random() * 3)] ?? 502;
}
