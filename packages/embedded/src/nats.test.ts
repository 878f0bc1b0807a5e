// nats-server with the real program: its start and stop, its password, and which versions are taken.
import { once } from "node:events";
import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mirrorOf, parseRelease } from "./apt-sources.ts";
import { isAlive, natsBinary, withFolder } from "./fixtures/harness.ts";
import { freePort } from "./free-port.ts";
import { findNatsServer } from "./nats-binary.ts";
import { startNats, type RunningNats } from "./nats.ts";
import { assertNatsVersion, isNewEnough } from "./version.ts";

/** Speaks NATS's own protocol as far as the answer to a first PING. */
async function greet(
  url: string,
  password?: string,
): Promise<{ info: Record<string, unknown>; answer: string }> {
  const { hostname, port, username, password: known } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding("utf8");
  try {
    const [first] = (await once(socket, "data")) as [string];
    socket.write(
      `CONNECT ${JSON.stringify({ verbose: false, user: username, pass: password ?? known })}\r\nPING\r\n`,
    );
    const [answer] = (await once(socket, "data")) as [string];
    return {
      info: JSON.parse(first.replace("INFO ", "")) as Record<string, unknown>,
      answer: answer.trim(),
    };
  } finally {
    socket.destroy();
  }
}

async function withNats(
  options: { dataDir?: string; port?: number },
  work: (server: RunningNats) => Promise<void>,
): Promise<void> {
  const server = await startNats({ binary: await natsBinary(), ...options });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** A program that says it is an old nats-server. */
async function oldServer(folder: string): Promise<string> {
  const program = join(folder, "nats-server");
  await writeFile(program, "#!/bin/sh\necho 'nats-server: v2.9.10'\n");
  await chmod(program, 0o755);
  return program;
}

test("it lets in who has the URL and nobody else", () =>
  withNats({}, async ({ url }) => {
    const { info, answer } = await greet(url);
    expect(answer).toBe("PONG");
    expect(info).toMatchObject({ max_payload: 1_048_576, auth_required: true });
    expect(info.jetstream).toBeUndefined();
    expect((await greet(url, "wrong")).answer).toContain("Authorization Violation");
  }));

test("its password is new at each start, on no command line, and in a file only we can read", () =>
  withFolder(async (folder) => {
    const passwords: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      await withNats({ dataDir: folder }, async ({ url, pid }) => {
        const { password } = new URL(url);
        passwords.push(password);
        expect(password.length).toBeGreaterThanOrEqual(32);
        expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).not.toContain(password);
        expect((await stat(join(folder, "nats-server.conf"))).mode & 0o777).toBe(0o600);
      });
    }
    expect(new Set(passwords).size).toBe(2);
  }));

test("it takes the port it is given; a taken one is named in the error", async () => {
  const port = await freePort();
  await withNats({ port }, async ({ url, pid }) => {
    expect(new URL(url).port).toBe(`${port}`);
    await expect(startNats({ binary: await natsBinary(), port })).rejects.toThrow(
      `Port ${port} for nats-server is already in use`,
    );
    expect(await isAlive(pid)).toBe(true);
  });
});

test("two in parallel on folders of their own; a folder in use is refused", () =>
  withFolder(async (folder) => {
    const dataDir = join(folder, "a");
    await withNats({ dataDir }, (first) =>
      withNats({ dataDir: join(folder, "b") }, async (second) => {
        expect(first.url).not.toBe(second.url);
        await expect(startNats({ binary: await natsBinary(), dataDir })).rejects.toThrow(
          /in use by another running process/,
        );
        expect((await greet(first.url)).answer).toBe("PONG");
      }),
    );
  }));

test("a stop ends it", async () => {
  let stopped = 0;
  await withNats({}, async ({ pid }) => void (stopped = pid));
  expect(await isAlive(stopped)).toBe(false);
});

test("a server that is too old is refused with both numbers", () =>
  withFolder(async (folder) => {
    const binary = await oldServer(folder);
    await expect(startNats({ binary })).rejects.toThrow(/2\.9\.10 is too old: at least 2\.10\.23/);
  }));

test("versions are compared as numbers", () => {
  expect(["2.10.23", "v2.10.27", "2.15.1-beta.2", "3.0.0"].map(isNewEnough)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["2.10.22", "2.9.99", "1.99.99", "unknown"].map(isNewEnough)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(() => assertNatsVersion("2.10.22")).toThrow("2.10.22");
});

test("the PATH comes before the cache, but an old program on it is passed over", () =>
  withFolder(async (folder) => {
    const real = await natsBinary();
    const places = ["old", "new", "cache"].map((name) => join(folder, name));
    for (const place of places) await mkdir(place);
    const [old = "", fresh = "", cacheDir = ""] = places;
    await oldServer(old);
    await symlink(real, join(fresh, "nats-server"));
    await symlink(real, join(cacheDir, "nats-server"));
    expect(await findNatsServer({ cacheDir, path: [old, fresh] })).toBe(join(fresh, "nats-server"));
    expect(await findNatsServer({ cacheDir, path: [old] })).toBe(join(cacheDir, "nats-server"));
    expect(await readdir(cacheDir)).toEqual(["nats-server"]);
  }));

test("the mirror is read from the machine's own sources, in both of their forms", () => {
  const stanzas = [
    "Types: deb\nURIs: https://vendor.example/apt\nSuites: any\nComponents: main",
    "Types: deb\nEnabled: no\nURIs: https://off.example/debian\nSuites: bookworm\nComponents: main",
    "Types: deb\n# near\nURIs: https://near.example/debian https://far.example/debian\nSuites: bookworm bookworm-updates\nComponents: main contrib",
  ].join("\n\n");
  expect(mirrorOf(stanzas, "bookworm")).toBe("https://near.example/debian");
  expect(mirrorOf(stanzas, "trixie")).toBeUndefined();
  const lines =
    "# deb http://commented.example bookworm main\ndeb cdrom:[Debian] bookworm main\ndeb [arch=amd64] http://near.example/debian bookworm main\n";
  expect(mirrorOf(lines, "bookworm")).toBe("http://near.example/debian");
  expect(parseRelease('ID=debian\nVERSION_CODENAME=bookworm\nHOME_URL="https://x"')).toEqual({
    id: "debian",
    codename: "bookworm",
  });
  expect(parseRelease('NAME="Ubuntu"\nID="ubuntu"\nVERSION_CODENAME="noble"')).toEqual({
    id: "ubuntu",
    codename: "noble",
  });
});
