// The embedded PostgreSQL with the real programs: its start and stop, who may use its folder, and whose rights it has.
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isAlive, makeFolder, query, removeFolder, withFolder } from "./fixtures/harness.ts";
import { freePort, isPortFree } from "./free-port.ts";
import { ROOT_IDENTITIES } from "./identity.ts";
import { startPostgres, type RunningPostgres } from "./postgres.ts";

const isRoot = process.getuid?.() === 0;

// Making a data folder costs more than all else here: tests that only start on one share it.
let home: string;
const madeWith: string[] = [];
beforeAll(async () => {
  home = await makeFolder();
  const onProgress = (line: string) => madeWith.push(line);
  await (await startPostgres({ dataDir: home, durable: false, onProgress })).stop();
});
afterAll(() => removeFolder(home));

async function using<T>(server: RunningPostgres, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await server.stop();
  }
}

test("what was committed is there after a stop and another start, on another port", async () => {
  const first = await startPostgres({ dataDir: home, durable: true });
  await using(first, () => query(first.url, "create table kept as select 'سلام'::text as word"));
  expect(await isAlive(first.pid)).toBe(false);
  const port = await freePort();
  const second = await startPostgres({ dataDir: home, durable: true, port });
  await using(second, async () => {
    expect(new URL(second.url).port).toBe(`${port}`);
    expect(await query(second.url, "select word, current_database() as place from kept")).toEqual([
      { word: "سلام", place: "thikaa" },
    ]);
  });
});

test("a stop ends open connections and releases port and folder", async () => {
  const server = await startPostgres({ dataDir: home, durable: false });
  const client = new pg.Client({ connectionString: server.url });
  // It tells of its loss more than once.
  client.on("error", () => {});
  const lost = once(client, "error");
  await client.connect();
  await server.stop();
  await server.stop();
  expect(await lost).toMatchObject([
    { message: expect.stringMatching(/terminat|ECONN/i) as string },
  ]);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(await isPortFree(Number(new URL(server.url).port))).toBe(true);
  await (await startPostgres({ dataDir: home, durable: false })).stop();
});

test("two servers in parallel have folders, ports and passwords of their own", () =>
  withFolder(async (folder) => {
    const servers = await Promise.all(
      [home, folder].map((dataDir) => startPostgres({ dataDir, durable: false })),
    );
    const urls = servers.map(({ url }) => new URL(url));
    expect(new Set(urls.map(({ port }) => port)).size).toBe(2);
    expect(new Set(urls.map(({ password }) => password)).size).toBe(2);
    await Promise.all(servers.map((server) => server.stop()));
  }));

test("only the password's owner can read it, and a wrong one is refused", async () => {
  const server = await startPostgres({ dataDir: home, durable: false });
  await using(server, async () => {
    expect((await stat(join(home, "password"))).mode & 0o777).toBe(0o600);
    const wrong = new URL(server.url);
    wrong.password = "wrong";
    await expect(query(wrong.href, "select 1")).rejects.toThrow(/password authentication failed/);
    const settings = await query(
      server.url,
      "select current_setting('listen_addresses') as listen, current_setting('fsync') as fsync",
    );
    expect(settings).toEqual([{ listen: "127.0.0.1", fsync: "off" }]);
  });
});

test("failed statements, with what users wrote in them, stay out of the server's log", async () => {
  const server = await startPostgres({ dataDir: home, durable: false });
  await using(server, () => query(server.url, "select 'private words'::int").catch(() => []));
  const log = await readFile(join(home, "postgres.log"), "utf8");
  expect(log).toContain("ready to accept connections");
  expect(log).not.toContain("private words");
});

test("a folder in use by a living process is refused, and that process's server goes on", async () => {
  const server = await startPostgres({ dataDir: home, durable: false });
  await using(server, async () => {
    await expect(startPostgres({ dataDir: home, durable: false })).rejects.toThrow(
      /in use by another running process/,
    );
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

test("a taken port is named in the error, and the folder is free again", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const address = blocker.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(startPostgres({ dataDir: home, durable: false, port })).rejects.toThrow(
    `Port ${port} for PostgreSQL is already in use`,
  );
  blocker.close();
  await (await startPostgres({ dataDir: home, durable: false, port })).stop();
});

test("a server that can't start is reported with its own words", async () => {
  await expect(
    startPostgres({ dataDir: home, durable: false, maxConnections: -1 }),
  ).rejects.toThrow(/did not start[^]*max_connections/);
});

test("each step is told in one line", () => {
  expect(madeWith).toEqual(["Creating the PostgreSQL data folder …", "Starting PostgreSQL …"]);
});

test.runIf(isRoot).each(ROOT_IDENTITIES)("root runs it without root's rights: $name", (identity) =>
  withFolder(async (folder) => {
    const server = await startPostgres({ dataDir: folder, durable: false, identities: [identity] });
    await using(server, async () => {
      const map = await readFile(`/proc/${server.pid}/uid_map`, "utf8");
      const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${server.pid}/status`, "utf8"))?.[1];
      const isUnprivileged =
        identity.uid === undefined ? /^\s*65534\s+0\s+1\s*$/.test(map) : uid === `${identity.uid}`;
      expect(isUnprivileged).toBe(true);
      await query(server.url, "create table kept (id int)");
    });
    // What one identity made, every other can go on with.
    const next = await startPostgres({
      dataDir: folder,
      durable: false,
      identities: ROOT_IDENTITIES.filter((other) => other !== identity),
    });
    await using(next, async () => expect(await query(next.url, "select * from kept")).toEqual([]));
  }),
);

test.runIf(isRoot)("when no way leads away from root's rights, the error says what to do", () =>
  withFolder(async (folder) => {
    const impossible = [{ name: "nobody" as const, prefix: ["false"], owner: undefined }];
    const start = startPostgres({ dataDir: folder, durable: false, identities: impossible });
    await expect(start).rejects.toThrow(/refuses to run as root[^]*DATABASE_URL/);
    expect(existsSync(join(folder, "data"))).toBe(false);
  }),
);
