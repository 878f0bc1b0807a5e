// Fetches nats-server from the distribution's signed packages with package tools' state of its own: no root, nothing installed.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { mirrorOf, parseRelease, type Release } from "./apt-sources.ts";
import { packageToolEnvironment } from "./config.ts";

const run = promisify(execFile);
const SOURCES = "/etc/apt";
const STEP_DEADLINE_MS = 180_000;

interface Suite {
  name: string;
  components: string;
  keyring: string;
}

/** The oldest stable release of each distribution whose nats-server is new enough. */
const SUITES: Record<string, Suite> = {
  debian: {
    name: "trixie",
    components: "main",
    keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
  },
  ubuntu: {
    name: "resolute",
    components: "main universe",
    keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
  },
};

/** Puts the program at `target`, by a rename, so that it is there whole or not at all. Rejects with a short reason. */
export async function fetchNatsServer(target: string): Promise<void> {
  const parent = dirname(target);
  const prefix = `${basename(target)}.fetch-`;
  // The caller holds the cache's lock: such a folder is what a killed fetch left behind.
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  const folder = await mkdtemp(join(parent, prefix));
  try {
    const program = await unpack(folder, await download(folder));
    await chmod(program, 0o755);
    await rename(program, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(folder: string): Promise<string> {
  const environment = { ...packageToolEnvironment(), APT_CONFIG: await writeSettings(folder) };
  await step("apt-get", ["-q", "update"], { cwd: folder, env: environment });
  await step("apt-get", ["-q", "download", "nats-server"], { cwd: folder, env: environment });
  const archive = (await readdir(folder)).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("the package tools brought no file");
  return join(folder, archive);
}

async function unpack(folder: string, archive: string): Promise<string> {
  const contents = join(folder, "contents");
  await step("dpkg", ["-x", archive, contents], { cwd: folder, env: packageToolEnvironment() });
  for (const place of ["usr/sbin", "usr/bin"]) {
    const names: string[] = await readdir(join(contents, place)).catch(() => []);
    if (names.includes("nats-server")) return join(contents, place, "nats-server");
  }
  throw new Error("the package holds no nats-server");
}

/** Writes the package tools' private settings, and returns their file. A file, since a proxy's address can hold a password. */
async function writeSettings(folder: string): Promise<string> {
  for (const name of ["lists/partial", "archives/partial", "parts"])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, "status"), "");
  await writeFile(join(folder, "sources.list"), await sourceLine());
  const settings = {
    "Dir::State": folder,
    "Dir::State::lists": join(folder, "lists"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": folder,
    "Dir::Cache::archives": join(folder, "archives"),
    "Dir::Etc::sourcelist": join(folder, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::parts": join(folder, "parts"),
    "Dir::Etc::main": "/dev/null",
    "Acquire::Languages": "none",
    "Acquire::Retries": "2",
    "APT::Sandbox::User": "",
    // Without this a mirror that can't be reached is only a warning.
    "APT::Update::Error-Mode": "any",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  const file = join(folder, "apt.conf");
  await writeFile(file, [...lines, ...(await proxySettings())].join("\n"), { mode: 0o600 });
  return file;
}

async function sourceLine(): Promise<string> {
  const release = parseRelease(await readFile("/etc/os-release", "utf8").catch(() => ""));
  const suite = SUITES[release.id];
  if (suite === undefined) throw new Error("this machine is neither Debian nor Ubuntu");
  return `deb [signed-by=${suite.keyring}] ${await machineMirror(release)} ${suite.name} ${suite.components}\n`;
}

async function machineMirror(release: Release): Promise<string> {
  const parts: string[] = await readdir(join(SOURCES, "sources.list.d")).catch(() => []);
  const files = parts
    .filter((name) => /\.(sources|list)$/.test(name))
    .map((name) => join(SOURCES, "sources.list.d", name));
  for (const file of [...files, join(SOURCES, "sources.list")]) {
    const mirror = mirrorOf(await readFile(file, "utf8").catch(() => ""), release.codename);
    if (mirror !== undefined) return mirror;
  }
  throw new Error(`this machine's package sources name no mirror for ${release.codename}`);
}

/** The machine's own way to its mirror; its other settings (hooks above all) must not run here. */
async function proxySettings(): Promise<string[]> {
  const { stdout } = await run("apt-config", ["dump"], { env: packageToolEnvironment() });
  return stdout
    .split("\n")
    .filter((line) =>
      /^Acquire::https?::\S*(proxy|verify|cainfo|timeout)\S* "[^"]+";$/i.test(line),
    );
}

async function step(
  command: string,
  args: string[],
  where: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  try {
    await run(command, args, { ...where, timeout: STEP_DEADLINE_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error(`this machine has no ${command}`);
    const output = (error as { stderr?: string }).stderr ?? "";
    const reason =
      output.split("\n").find((line) => /^(E|Err|dpkg)\b/.test(line)) ?? "no answer in time";
    throw new Error(`${[command, ...args.slice(0, 2)].join(" ")} failed (${reason.trim()})`);
  }
}
