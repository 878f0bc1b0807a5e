// A connection that is not wanted any more: switched off it stays linked, removed it is unlinked at WhatsApp and leaves nothing here.
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { zainab } from "./fixtures/linked.ts";
import { World } from "./fixtures/world.ts";
import type { StoredConnection } from "./fixtures/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.create();
  await world.start();
});
afterAll(() => world.close());

let phones = 9_647_700_000_200;

async function connected(): Promise<StoredConnection> {
  const connection = await world.connect(String(++phones));
  await world.untilState([connection], "connected");
  return connection;
}

const linkedTo = ({ phone }: StoredConnection) => world.standIn.phone(phone).linked;

test("switched off it is closed and stays linked; on again nobody has to pair", async () => {
  const connection = await connected();
  await world.want(connection, "off");
  await world.untilState([connection], "off");
  expect(linkedTo(connection)).toMatchObject([{ device: 1, connected: false }]);
  await world.want(connection, "on");
  await world.untilState([connection], "connected");
  expect(linkedTo(connection)).toMatchObject([{ device: 1, connected: true }]);
  await world.untilSent([await world.queue(connection, zainab, "on again")]);
});

test("removed, the phone no longer lists it, and nothing of it is kept", async () => {
  const connection = await connected();
  expect(await world.kept(connection)).toContain("pairing-1/creds");
  await world.want(connection, "removed");
  await world.untilState([connection], "off");
  expect(linkedTo(connection)).toEqual([]);
  expect(await world.kept(connection)).toEqual([]);
});

test("removed while it is off, it is unlinked as well; what people wrote meanwhile is not read", async () => {
  const connection = await connected();
  await world.want(connection, "off");
  await world.untilState([connection], "off");
  await world.standIn.send({
    from: zainab,
    to: connection.phone,
    content: { kind: "text", text: "for the phone alone" },
  });
  await world.want(connection, "removed");
  await waitFor(() => linkedTo(connection).length === 0, {
    what: "the phone to be unlinked",
    deadlineMs: 15_000,
  });
  await world.untilState([connection], "off");
  expect(await world.inbound(connection)).toEqual([]);
  expect(await world.kept(connection)).toEqual([]);
});

test.each([
  { kind: "login_failure", reason: 503 },
  { kind: "refuse_query", about: "md set", error: 500 },
] as const)(
  "removed when WhatsApp can't ($kind), it is tried again until it is unlinked",
  async (fault) => {
    const connection = await connected();
    const { phone } = connection;
    const struck = world.standIn.faults.add({ ...fault, phone });
    await world.want(connection, "removed");
    await world.untilState([connection], "off");
    expect(struck.hits).toBe(1);
    expect(linkedTo(connection)).toEqual([]);
    expect(await world.kept(connection)).toEqual([]);
  },
);

test.each(["before", "afterwards"] as const)(
  "unlinked by the phone, noticed %s: removing it is done at once",
  async (noticed) => {
    const connection = await connected();
    if (noticed === "afterwards") {
      await world.want(connection, "off");
      await world.untilState([connection], "off");
    }
    world.standIn.unlink({ phone: connection.phone });
    if (noticed === "before") await world.untilState([connection], "attention");
    await world.want(connection, "removed");
    await waitFor(async () => (await world.kept(connection)).length === 0, {
      what: "everything of it to be gone",
      deadlineMs: 15_000,
    });
    await world.untilState([connection], "off");
  },
);
