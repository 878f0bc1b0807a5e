// A worker whose process slept past its lease: it knows so at its first look, before any timer or answer has told it.
import { Database } from "@thikaa/db";
import { createTestDatabase } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { Worker } from "./worker.ts";

const ttlMs = 1_000;

test("a worker whose process slept past its lease is not alive when it wakes", async () => {
  const testDatabase = await createTestDatabase({ name: "runtime_asleep" });
  const database = new Database({ url: testDatabase.url, applicationName: "test" });
  const log = createLog({ name: "test", level: "silent" });
  const worker = await Worker.start({ database, role: "test", log, ttlMs });
  expect(worker.alive).toBe(true);
  // Nothing else of this process runs meanwhile, as in one that was stopped.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ttlMs);
  expect(worker.alive).toBe(false);
  await worker.stop();
  await database.close();
  await testDatabase.close();
});
