// Checks the waiting helpers, and that what the run provides is really there.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { deferred, freePort, natsUrl, testNamespace, waitFor } from "./index.ts";

test("waitFor gives the value once there is one", async () => {
  let asked = 0;
  expect(await waitFor(() => (asked += 1) === 3 && "there", { what: "the third time" })).toBe(
    "there",
  );
  expect(asked).toBe(3);
  expect(await waitFor(() => 0, { what: "a number" })).toBe(0);
});

test("waitFor says what it waited for, and the last error of the condition", async () => {
  await expect(waitFor(() => undefined, { what: "rain", deadlineMs: 20 })).rejects.toThrow(
    "Waited 20 ms for rain, in vain.",
  );
  const failing = (): never => {
    throw new Error("no cloud");
  };
  await expect(waitFor(failing, { what: "rain", deadlineMs: 20 })).rejects.toThrow(
    "in vain (last error: no cloud).",
  );
});

test("waitFor keeps to its deadline even when the condition never answers", async () => {
  await expect(
    waitFor(() => new Promise<undefined>(() => {}), { what: "an answer", deadlineMs: 30 }),
  ).rejects.toThrow("Waited 30 ms for an answer");
});

test("a deferred is settled by hand", async () => {
  const good = deferred<string>();
  const bad = deferred();
  good.resolve("done");
  bad.reject(new Error("broken"));
  expect(await good.promise).toBe("done");
  await expect(bad.promise).rejects.toThrow("broken");
});

test("the run's NATS answers, namespaces differ and are single tokens, a free port is free", async () => {
  const { hostname, port } = new URL(natsUrl());
  const socket = connect(Number(port), hostname);
  const [hello] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  expect(hello.toString()).toMatch(/^INFO \{/);
  const names = [testNamespace(), testNamespace()];
  expect(names[0]).not.toBe(names[1]);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]+$/);
  const refused = connect(await freePort(), "127.0.0.1");
  await expect(once(refused, "connect")).rejects.toThrow("ECONNREFUSED");
});
