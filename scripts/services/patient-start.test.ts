// Every app as a process of its own, started before PostgreSQL: it waits, says so once, and ends when it is asked to.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePort, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { plainEnvironment } from "./config.ts";

const root = join(import.meta.dirname, "../..");

test.each(["gateway", "channel-telegram", "inbox", "webhooks", "console/server"])(
  "%s waits for a PostgreSQL that is away: alive, not ready, one line; SIGTERM ends it within a second",
  async (app) => {
    const port = await freePort();
    const child = spawn(
      process.execPath,
      ["--conditions=source", join(root, "apps", app, "src/main.ts")],
      {
        env: {
          ...plainEnvironment(),
          DATABASE_URL: "postgresql://thikaa:secret@127.0.0.1:1/thikaa",
          NATS_URL: "nats://127.0.0.1:1",
          MEDIA_STORE_URL: pathToFileURL(tmpdir()).href,
          PUBLIC_URL: "https://messaging.example.com",
          THIKAA_MASTER_KEY: `k1:${randomBytes(32).toString("base64")}`,
          THIKAA_ADMIN_TOKEN: "an-admin-token-for-this-test-alone",
          HOST: "127.0.0.1",
          PORT: String(port),
          METRICS_PORT: "0",
        },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let written = "";
    child.stderr.on("data", (piece: Buffer) => void (written += piece.toString()));
    const ended = once(child, "exit");
    try {
      const status = async (path: string) =>
        (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      await waitFor(async () => (await status("/healthz")) === 200, { what: `${app} to live` });
      expect(await status("/readyz")).toBe(503);
      expect(written.trim().split("\n")).toEqual([
        expect.stringContaining("PostgreSQL can't be reached: the start waits until it answers"),
      ]);
      const asked = performance.now();
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
      expect(performance.now() - asked).toBeLessThan(1_000);
    } finally {
      child.kill("SIGKILL");
    }
  },
);
