// The app as a process has it: beside its port it tells how many sessions it holds, what memory it takes, and whether its loop is held up.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createLog } from "@thikaa/runtime";
import { createTestDatabase, freePort, natsUrl, testNamespace } from "@thikaa/testkit";
import { newMasterKey } from "@thikaa/vault";
import { expect, test } from "vitest";
import { start } from "./start.ts";

test("sessions, memory and the lag of the event loop are told as metrics", async () => {
  const database = await createTestDatabase({ name: "whatsapp metrics" });
  const folder = await mkdtemp(join(tmpdir(), "thikaa-media-"));
  const [port, metricsPort] = [await freePort(), await freePort()];
  const service = await start({
    environment: "development",
    databaseUrl: database.url,
    natsUrl: natsUrl(),
    namespace: testNamespace(),
    masterKey: newMasterKey(),
    mediaStoreUrl: pathToFileURL(folder).href,
    webhookBase: null,
    baseUrls: { live: "http://127.0.0.1:1", sandbox: null },
    http: { host: "127.0.0.1", port, metricsPort },
    logLevel: "error",
    log: createLog({ name: "test", level: "error" }),
  });
  try {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    for (const state of ["open", "opening"])
      expect(text).toMatch(
        new RegExp(`^thikaa_whatsapp_sessions\\{.*state="${state}".*\\} 0$`, "m"),
      );
    for (const name of [
      "process_resident_memory_bytes",
      "nodejs_heap_size_used_bytes",
      "nodejs_external_memory_bytes",
      "nodejs_eventloop_lag_p99_seconds",
    ])
      expect(text).toMatch(new RegExp(`^${name}\\{.*\\} [\\d.e+-]+$`, "m"));
  } finally {
    await service.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
});
