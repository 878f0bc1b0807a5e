// What happens to the servers when the process that owns them is killed or interrupted, and to the next start.
import { spawn } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  isAlive,
  isGoneWithin,
  killServersOn,
  killWatchers,
  makeFolder,
  natsBinary,
  Owner,
  query,
  removeFolder,
  withFolder,
} from "./fixtures/harness.ts";
import { startNats } from "./nats.ts";
import { poll } from "./poll.ts";
import { startPostgres } from "./postgres.ts";

interface Scene {
  folder: string;
  owner: Owner;
}

// Making a data folder costs more than all else here: the owners start on one after the other, as restarts do.
let shared: string;
beforeAll(async () => {
  shared = await makeFolder();
});
afterAll(() => removeFolder(shared));

/** Starts an owner and makes sure that no process of it is left when the test ends. */
async function withOwner(work: (scene: Scene) => Promise<void>, folder = shared): Promise<void> {
  const owner = new Owner(folder, await natsBinary());
  try {
    await work({ folder, owner });
  } finally {
    if (owner.child.exitCode === null && owner.child.signalCode === null)
      await owner.end("SIGKILL");
    await killServersOn(folder);
  }
}

/** Starts on the scene's folder and looks for what this very owner committed. */
async function expectData({ folder, owner }: Scene): Promise<void> {
  const server = await startPostgres({ dataDir: join(folder, "postgres"), durable: true });
  try {
    const word = `${owner.child.pid}`;
    expect(await query(server.url, `select word from kept where word = '${word}'`)).toEqual([
      { word },
    ]);
  } finally {
    await server.stop();
  }
}

test("after kill −9 of the owner no server stays behind, and the next start has all that was committed", () =>
  withOwner(async ({ folder, owner }) => {
    const { postgres, nats } = await owner.ready();
    await owner.end("SIGKILL");
    expect(await isGoneWithin(nats, 5_000)).toBe(true);
    expect(await isGoneWithin(postgres, 10_000)).toBe(true);
    await expectData({ folder, owner });
  }));

test("a start right after kill −9 does not wait for anybody to clean up first", () =>
  withOwner(async ({ folder, owner }) => {
    await owner.ready();
    await owner.end("SIGKILL");
    await expectData({ folder, owner });
  }));

test("servers that survived owner and watchers are stopped by the next start", () =>
  withOwner(async ({ folder, owner }) => {
    const { postgres, nats } = await owner.ready();
    expect(await killWatchers(folder)).toBe(2);
    await owner.end("SIGKILL");
    expect([await isAlive(postgres), await isAlive(nats)]).toEqual([true, true]);
    await expectData({ folder, owner });
    await (await startNats({ binary: await natsBinary(), dataDir: join(folder, "nats") })).stop();
    expect([await isAlive(postgres), await isAlive(nats)]).toEqual([false, false]);
  }));

test("kill −9 of owner and PostgreSQL together: the next start replays the log", () =>
  withOwner(async ({ folder, owner }) => {
    const { postgres } = await owner.ready();
    await killWatchers(folder);
    process.kill(postgres, "SIGKILL");
    await owner.end("SIGKILL");
    await expectData({ folder, owner });
  }));

test("kill −9 while the data folder is being made: the next start makes it anew and leaves nothing unfinished", () =>
  withFolder((empty) =>
    withOwner(async ({ folder, owner }) => {
      const home = join(folder, "postgres");
      const unfinished = await poll(10_000, async () => {
        const names: string[] = await readdir(home).catch(() => []);
        return names.find((name) => name.startsWith("data.new-"));
      });
      expect(unfinished).toBeDefined();
      await owner.end("SIGKILL");
      const server = await startPostgres({ dataDir: home, durable: false });
      const names = await readdir(home);
      await server.stop();
      expect(names.toSorted()).toEqual(["data", "password", "postgres.log"]);
    }, empty),
  ));

test("a stranger who got the pid of a dead PostgreSQL is not touched, and does not hinder the start", async () => {
  const home = join(shared, "postgres");
  const data = join(home, "data");
  await (await startPostgres({ dataDir: home, durable: false })).stop();
  const stranger = spawn("sleep", ["60"], { stdio: "ignore", cwd: data });
  await writeFile(
    join(data, "postmaster.pid"),
    `${stranger.pid}\n${data}\n1700000000\n1\n\n127.0.0.1\n\nready\n`,
  );
  await (await startPostgres({ dataDir: home, durable: false })).stop();
  expect(await isAlive(stranger.pid ?? 0)).toBe(true);
  stranger.kill("SIGKILL");
});

test("a Ctrl-C to the whole process group leaves PostgreSQL to its owner, who stops it last", () =>
  withOwner(async ({ owner }) => {
    const { postgres, nats } = await owner.ready();
    await owner.end("SIGINT", "group");
    expect(owner.said.filter((words) => !("progress" in words)).slice(1)).toEqual([
      { countAfterSignal: { count: 1 } },
      { stopped: true },
    ]);
    expect([await isAlive(postgres), await isAlive(nats)]).toEqual([false, false]);
  }));
