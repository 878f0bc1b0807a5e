// Sessions move between processes: nothing is lost or said twice on the way, and no session is ever open twice.
import { afterAll, beforeAll, expect, test } from "vitest";
import { mai, zainab } from "./fixtures/linked.ts";
import { World } from "./fixtures/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());

const phones = ["9647700000101", "9647700000102", "9647700000103"];

test("a process that ends under traffic hands its sessions over: everything arrives once, both ways", async () => {
  const first = await world.start();
  const connections = await Promise.all(phones.map((phone) => world.connect(phone)));
  await world.untilState(connections, "connected");
  await world.start();
  const texts = Array.from({ length: 8 }, (_, n) => String(n));
  const sent: string[] = [];
  const talk = async (part: readonly string[]) => {
    for (const text of part)
      for (const connection of connections) {
        await world.standIn.send({
          from: zainab,
          to: connection.phone,
          content: { kind: "text", text },
        });
        sent.push(await world.queue(connection, mai, text));
      }
  };
  await talk(texts.slice(0, 4));
  const ending = first.stop();
  await talk(texts.slice(4));
  await ending;
  await world.untilSent(sent);
  await world.untilState(connections, "connected");
  for (const { phone } of connections) await world.standIn.settled(phone, 10_000);
  for (const connection of connections) {
    expect(await world.texts(connection)).toEqual(texts);
    const said = await world.inbound(connection);
    expect(said.filter(({ kind }) => kind === "notice")).toEqual([]);
    const shown = world.standIn
      .messages(mai, connection.phone)
      .filter(({ from }) => from === connection.phone);
    expect(shown.map(({ content }) => (content?.kind === "text" ? content.text : null))).toEqual(
      texts,
    );
  }
  expect(world.conflicts).toBe(0);
});
