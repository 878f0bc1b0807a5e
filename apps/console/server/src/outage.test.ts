// PostgreSQL away: the console says so, answers 503 and comes back by itself.
import { createTestDatabase, startFaultProxy, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { startConsole } from "./fixtures/console.ts";

test("while PostgreSQL is away the admin API answers 503 with Retry-After and /readyz is not ready; afterwards all is well", async () => {
  const behind = await createTestDatabase({ name: "outage" });
  const proxy = await startFaultProxy({ target: behind.url });
  const running = await startConsole({ databaseUrl: proxy.url });
  const ready = async () => (await fetch(`${running.url}/readyz`)).status;
  expect(await ready()).toBe(200);
  await proxy.set({ kind: "reset" });
  const answer = await running.admin("GET", "/stores");
  expect([answer.status, answer.body["error"], answer.headers.get("retry-after")]).toEqual([
    503,
    "unavailable",
    "2",
  ]);
  await waitFor(async () => (await ready()) === 503, { what: "not ready" });
  await proxy.set({ kind: "pass" });
  await waitFor(async () => (await ready()) === 200, { what: "ready again" });
  expect((await running.admin("GET", "/stores")).status).toBe(200);
  await running.stop();
  await proxy.close();
  await behind.close();
});
