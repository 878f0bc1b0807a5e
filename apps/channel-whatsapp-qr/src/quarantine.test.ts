// Keys of a phone that unlinked this device: kept aside for a time, and then deleted, whoever runs the connection and whatever its state.
import { waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createConnector } from "./connector.ts";
import { Linked, shop, zainab } from "./fixtures/linked.ts";
import { quick } from "./fixtures/pairing.ts";
import { World } from "./fixtures/world.ts";
import type { StoredConnection } from "./fixtures/world.ts";

const dayMs = 24 * 3_600_000;

test("they are whole until a week is over, and gone after it; those of the next pairing stay", async () => {
  const clock = { now: new Date() };
  const linked = await Linked.open({ through: () => ({ clock: () => clock.now }) });
  onTestFinished(() => linked.close());
  const connector = createConnector(quick);
  const names = ["creds", "pre-key/700", "pre-key/800"];
  const kept = async (pairing: number) =>
    (await linked.context.state.get(names.map((name) => `pairing-${pairing}/${name}`))).size;
  expect(await kept(1)).toBe(3);
  linked.standIn.unlink({ phone: shop });
  await expect(linked.account.polling?.poll(AbortSignal.timeout(10_000))).rejects.toThrow();
  await linked.reopen();
  clock.now = new Date(clock.now.getTime() + 7 * dayMs - 60_000);
  await connector.upkeep?.(linked.context);
  expect([await kept(1), await kept(2)]).toEqual([3, 3]);
  clock.now = new Date(clock.now.getTime() + 2 * 60_000);
  await connector.upkeep?.(linked.context);
  expect([await kept(1), await kept(2)]).toEqual([0, 3]);
  // Beside an open session, whose own record is as it was.
  expect(await linked.send(zainab, "still linked")).toMatchObject({ class: "sent" });
});

describe("in a house", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  /** A connection whose phone has unlinked it, and whom nobody pairs again. */
  async function unlinked(phone: string): Promise<StoredConnection> {
    const connection = await world.connect(phone);
    await world.untilState([connection], "connected");
    world.standIn.unlink({ phone });
    await world.untilState([connection], "attention");
    return connection;
  }

  const oldKeys = async (connection: StoredConnection) =>
    (await world.kept(connection)).filter((key) => key.startsWith("pairing-1/"));

  test("they go while the connection waits for a person, and not before their time", async () => {
    const quarantineMs = 3_000;
    await world.start({ timing: { quarantineMs }, upkeepMs: 200 });
    const before = Date.now();
    const connection = await unlinked("9647700000301");
    expect((await oldKeys(connection)).length).toBeGreaterThan(800);
    await waitFor(async () => (await oldKeys(connection)).length === 0, {
      what: "the old keys to be gone",
      deadlineMs: 15_000,
    });
    expect(Date.now() - before).toBeGreaterThan(quarantineMs);
    expect(await world.kept(connection)).toContain("device");
    await world.untilState([connection], "attention");
  });

  test("the time goes on while no process runs, and the next one deletes them at its start", async () => {
    const first = await world.start();
    const connection = await unlinked("9647700000302");
    await first.stop();
    expect((await oldKeys(connection)).length).toBeGreaterThan(800);
    await world.start({ timing: { quarantineMs: 0 } });
    await waitFor(async () => (await oldKeys(connection)).length === 0, {
      what: "the old keys to be gone",
      deadlineMs: 15_000,
    });
  });
});
