// Kept servers: a killed one comes back by itself, on the same address, with what it had.
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isAlive, natsBinary, query, withFolder } from "./fixtures/harness.ts";
import { keepNats, keepPostgres } from "./kept-servers.ts";
import type { KeptServer } from "./kept-servers.ts";
import { poll } from "./poll.ts";

const backWithinMs = 30_000;

test("a killed PostgreSQL comes back on the same address with what was committed, until it is stopped", async () => {
  await withFolder(async (folder) => {
    const said: string[] = [];
    const kept = await keepPostgres(
      { dataDir: join(folder, "postgres"), durable: true },
      (line) => void said.push(line),
    );
    await query(kept.url, "CREATE TABLE kept AS SELECT 1 AS one");
    const first = await kill(kept);
    expect(await answers(() => query(kept.url, "SELECT one FROM kept"))).toEqual([{ one: 1 }]);
    expect(said[0]).toBe("postgres ended (SIGKILL); it is started again in 0.1 s");
    const second = kept.keeper.pid ?? 0;
    expect(second).not.toBe(first);
    await kept.keeper.stop();
    expect([kept.keeper.pid, await isAlive(second)]).toEqual([null, false]);
  });
}, 120_000);

test("a killed nats-server comes back on the same address, with the same password", async () => {
  await withFolder(async (folder) => {
    const kept = await keepNats({ binary: await natsBinary(), dataDir: folder }, () => {});
    await kill(kept);
    expect(await answers(() => ping(kept.url))).toBe("PONG");
    await kept.keeper.stop();
  });
}, 120_000);

async function kill({ keeper }: KeptServer): Promise<number> {
  const { pid } = keeper;
  if (pid === null) throw new Error("It does not run.");
  keeper.signal("SIGKILL");
  await poll(backWithinMs, async () => ((await isAlive(pid)) ? undefined : true));
  return pid;
}

/** What the server answers once it does. */
function answers<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
  return poll(backWithinMs, () => ask().catch(() => undefined));
}

async function ping(url: string): Promise<string> {
  const { hostname, port, username, password } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding("utf8");
  try {
    await once(socket, "data");
    socket.write(
      `CONNECT ${JSON.stringify({ verbose: false, user: username, pass: password })}\r\nPING\r\n`,
    );
    const [answer] = (await once(socket, "data")) as [string];
    return answer.trim();
  } finally {
    socket.destroy();
  }
}
