// Named crash points, reached from outside: a wire of one process is cut so that it stands between two steps, and there it dies.
import { setTimeout as pause } from "node:timers/promises";
import { startFaultProxy, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { AppProcess } from "../../services/app-process.ts";
import type { Stage } from "../ground.ts";
import { viewOf } from "../judge.ts";
import type { Load } from "../scenes.ts";
import { strike } from "../scenes.ts";
import type { ServicesHouse } from "../services-house.ts";
import { toldTo } from "../told.ts";

interface CrashPoint {
  readonly name: string;
  /** Between which two steps the process dies. */
  readonly between: string;
  readonly role: "gateway" | "channel";
  /** Cuts the wires of the process and resolves when it stands at the point. */
  readonly reach: (at: Standing) => Promise<void>;
}

interface Standing {
  readonly house: ServicesHouse;
  readonly process: AppProcess;
  readonly load: Load;
}

const requests = { kind: "blackHole", direction: "requests" } as const;
const answers = { kind: "blackHole", direction: "answers" } as const;
const reachedWithinMs = 20_000;

const points: readonly CrashPoint[] = [
  {
    name: "before-ring",
    between: "a message is committed and answered, and its ring has not left",
    role: "gateway",
    async reach({ house, process, load: { driver } }) {
      await house.wires.set(process, "nats", requests);
      const before = acceptedOf(driver.intents);
      await waitFor(() => acceptedOf(driver.intents) > before + 2, {
        what: "sends to be answered",
        deadlineMs: reachedWithinMs,
      });
    },
  },
  {
    name: "before-outcome",
    between: "the provider has taken a message, and its outcome is not written",
    role: "channel",
    async reach({ house, process }) {
      const { record } = house.standIn;
      const after = lastCall(house);
      await record.until(() => sends(house, after).length > 0, reachedWithinMs);
      await house.wires.set(process, "postgres", requests);
      await record.until(() => sends(house, after).some(isAnswered), reachedWithinMs);
      await pause(50);
    },
  },
  {
    name: "between-parts",
    between: "the first part is sent and settled, and the second never reached the provider",
    role: "channel",
    async reach({ house, process }) {
      const { record } = house.standIn;
      const after = lastCall(house);
      const isFirst = ({ parameters }: { parameters: Record<string, unknown> }) =>
        String(parameters["text"]).includes("\n");
      await record.until(() => sends(house, after).some(isFirst), reachedWithinMs);
      await house.wires.set(process, "provider", requests);
      await waitFor(() => hasBegunSecondPart(house), {
        what: "the attempt at a second part to be begun",
        deadlineMs: reachedWithinMs,
      });
    },
  },
  {
    name: "after-outcome",
    between: "the outcome is written, and nobody was rung for what follows from it",
    role: "channel",
    async reach({ house, process, load: { driver } }) {
      await house.wires.set(process, "nats", requests);
      const from = driver.intents.length;
      await waitFor(
        async () => {
          await pause(20);
          for (const { accepted } of driver.intents.slice(from))
            if (accepted !== null && (await viewOf(house, accepted.messageId))?.status === "sent")
              return true;
          return false;
        },
        { what: "a message to be sent", deadlineMs: reachedWithinMs },
      );
    },
  },
  {
    name: "before-offset",
    between: "what came in is committed, and the next poll has not confirmed it",
    role: "channel",
    async reach({ house, process, load: { customers } }) {
      await house.wires.set(process, "provider", requests);
      const from = customers.said.length;
      await waitFor(
        () => {
          const { events } = toldTo(house);
          return customers.said.slice(from).some(({ text }) => events.has(text));
        },
        { what: "what was said to be told", deadlineMs: reachedWithinMs },
      );
    },
  },
];

export function crashPointScenes(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  for (const point of points)
    test(
      `kill -9 at the point where ${point.between}: nothing lost, nothing doubled in silence`,
      async () => {
        const { house } = stage;
        await alone(house);
        house.standIn.faults.add({
          kind: "delay",
          delayMs: 150,
          method: "sendMessage",
          times: "always",
        });
        const { lost } = await stage.play({
          name: point.name,
          restWithinMs: 120_000,
          notes: () => ({ crashes: settings.crashesOfEach }),
          strike: async (load) => {
            for (let crash = 0; crash < settings.crashesOfEach; crash += 1)
              await crashAt(point, house, load);
          },
        });
        expect(lost).toEqual([]);
      },
      settings.sceneMs,
    );

  test(
    "kill -9 of a gateway whose answer is still on its way: the send is known by its key when it is asked again",
    async () => {
      const { house } = stage;
      await alone(house);
      let door = "";
      const { replayed } = await stage.play({
        name: "before-answer",
        restWithinMs: 120_000,
        gateways: () => (door === "" ? house.gateways() : [door]),
        notes: () => ({ crashes: settings.crashesOfEach }),
        strike: async ({ driver }) => {
          for (let crash = 0; crash < settings.crashesOfEach; crash += 1) {
            const proxy = await startFaultProxy({ target: house.gateways()[0] ?? "" });
            door = proxy.url.replace(/\/$/, "");
            const before = acceptedOf(driver.intents);
            await waitFor(() => acceptedOf(driver.intents) > before, { what: "a send" });
            await proxy.set(answers);
            await untilUnanswered(house, driver.intents);
            await killAndReplace(house, "gateway");
            await proxy.close();
            door = "";
          }
        },
      });
      expect(replayed).toBeGreaterThanOrEqual(settings.crashesOfEach);
    },
    settings.sceneMs,
  );
}

/** One gateway and one channel process: the wires that are cut are those that everything runs over. */
export async function alone({ services }: ServicesHouse): Promise<void> {
  await Promise.all([services.scale("gateway", 1), services.scale("channel", 1)]);
}

async function crashAt(point: CrashPoint, house: ServicesHouse, load: Load): Promise<void> {
  const [process] = house.services.of(point.role);
  if (process === undefined) throw new Error(`There is no ${point.role}.`);
  await point.reach({ house, process, load });
  await killAndReplace(house, point.role);
  const before = acceptedOf(load.driver.intents);
  const calls = lastCall(house);
  await waitFor(
    () => acceptedOf(load.driver.intents) > before && sends(house, calls).some(isAnswered),
    { what: `sends to go on after the crash ${point.name}`, deadlineMs: 60_000 },
  );
}

/** Kills the only process of a role and starts another one. */
export async function killAndReplace(
  house: ServicesHouse,
  role: "gateway" | "channel",
): Promise<void> {
  const { services, database, wires } = house;
  const [process] = services.of(role);
  if (process === undefined) throw new Error(`There is no ${role}.`);
  await strike(process, "SIGKILL");
  await services.scale(role, 0);
  await wires.clear(process);
  // The dead process's lease is not waited for, as standalone doesn't at its start: that wait is shown by another scene.
  if (role === "channel")
    await database.query({ text: "DELETE FROM workers WHERE role = 'channel-tg'" });
  await services.scale(role, 1);
}

function acceptedOf(intents: Load["driver"]["intents"]): number {
  return intents.filter(({ accepted }) => accepted !== null).length;
}

/** A message has reached its person, and its sender does not know that it was accepted. */
async function untilUnanswered(
  house: ServicesHouse,
  intents: Load["driver"]["intents"],
): Promise<void> {
  await waitFor(
    () => {
      const unknown = new Set(
        intents.flatMap(({ key, accepted }) => (accepted === null ? [key] : [])),
      );
      return house.standIn.record
        .calls({ method: "sendMessage", accepted: true })
        .some(({ parameters }) => unknown.has(String(parameters["text"]).split("\n", 1)[0] ?? ""));
    },
    { what: "a send without an answer to be delivered", deadlineMs: reachedWithinMs },
  );
}

function lastCall({ standIn }: ServicesHouse): number {
  return standIn.record.calls().at(-1)?.n ?? 0;
}

function sends({ standIn }: ServicesHouse, after: number) {
  return standIn.record.calls({ method: "sendMessage", after });
}

function isAnswered({ outcome, accepted }: { outcome: string; accepted: boolean }): boolean {
  return accepted && outcome === "answered";
}

/** Only to know the moment; what came of it is judged by the stand-in. */
async function hasBegunSecondPart({ database }: ServicesHouse): Promise<boolean> {
  const { rows } = await database.query<{ begun: boolean }>({
    text: "SELECT EXISTS (SELECT 1 FROM attempts a JOIN send_queue q ON q.message_id = a.subject_id WHERE a.part = 2 AND a.outcome IS NULL) AS begun",
  });
  return rows[0]?.begun ?? false;
}
