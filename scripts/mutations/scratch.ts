// A scratch copy of the working tree, in which code may be spoiled: tracked files, links to installed packages, and copies of those that we patch.
import { spawnSync } from "node:child_process";
import { cp, lstat, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Scratch {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Copies the tree at `root`. Its packages find each other in the copy; what comes from the registry is shared, except what we patch. */
export async function makeScratch(root: string): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-mutations-"));
  for (const path of trackedFiles(root)) await copy(join(root, path), join(folder, path));
  for (const modules of await moduleFolders(root))
    await cp(join(root, modules), join(folder, modules), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith("node_modules/.pnpm"),
    });
  await installed(join(root, "node_modules/.pnpm"), join(folder, "node_modules/.pnpm"));
  for (const shared of [".cache", "tools/toolchain/node_modules"])
    await share(join(root, shared), join(folder, shared));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

function trackedFiles(root: string): string[] {
  const { stdout, status } = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error("The mutations need a git checkout: they run on a copy of it.");
  return stdout.split("\0").filter((path) => path !== "");
}

/** The `node_modules` of the root and of each package. */
async function moduleFolders(root: string): Promise<string[]> {
  const found = ["node_modules"];
  const look = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (entry.name === "node_modules") found.push(path);
      else if (!["src", "dist", "fixtures"].includes(entry.name)) await look(path);
    }
  };
  for (const folder of ["apps", "packages", "infra"]) await look(folder);
  return found;
}

/** Our patches are code of ours: packages that have one are copied, so that it may be taken out. All others are shared. */
async function installed(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    const isPatched = name.includes("_patch_hash=");
    if (isPatched)
      await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
    else await share(join(from, name), join(to, name));
  }
}

/** A file that was deleted and not yet committed is not copied. */
async function copy(from: string, to: string): Promise<void> {
  const isThere = await lstat(from).catch(() => null);
  if (isThere === null) return;
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { verbatimSymlinks: true });
}

async function share(from: string, to: string): Promise<void> {
  const isThere = await lstat(from).catch(() => null);
  if (isThere === null) return;
  await mkdir(dirname(to), { recursive: true });
  await symlink(from, to);
}
