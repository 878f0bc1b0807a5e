// Standalone on a PostgreSQL that it was given, and that comes up after it.
import { createTestDatabase, natsUrl, startFaultProxy } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";

test("the house waits for a given PostgreSQL that is away, says so once, and opens when it answers", async () => {
  const [folder, database] = [await makeFolder(), await createTestDatabase({ name: "outside" })];
  const proxy = await startFaultProxy({ target: database.url });
  await proxy.set({ kind: "refuse" });
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const said = "PostgreSQL can't be reached: the start waits until it answers";
  const house = await startChild({
    folder,
    environment: {
      DATABASE_URL: url.href,
      NATS_URL: natsUrl(),
      THIKAA_NAMESPACE: "outside",
      THIKAA_SANDBOX: "0",
    },
    onOutput: (output) => void (output.includes(said) && proxy.set({ kind: "pass" })),
  });
  expect(house.output().split(said)).toHaveLength(2);
  await house.stop();
  await proxy.close();
  await database.close();
  await removeFolder(folder);
});
