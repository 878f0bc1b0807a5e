// The tree that the checks read: its files, and its workspace packages with their manifests.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSource } from "./source.ts";
import type { Source } from "./source.ts";

export interface Manifest {
  readonly name?: string;
  readonly description?: string;
  readonly type?: string;
  readonly license?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A workspace package: its folder relative to the root (`packages/db`, `apps/console/server`). */
export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface Tree {
  readonly root: string;
  /** Every file that is or would be committed, relative to the root, with forward slashes. */
  readonly files: readonly string[];
  readonly packages: readonly Package[];
  /** The root's own manifest: what it depends on is at hand in every test. */
  readonly manifest: Manifest;
  /** A file's text. */
  readonly read: (file: string) => string;
  /** A file of code, parsed. */
  readonly source: (file: string) => Source;
}

/** Reads the tree at `root`: by git where there is a repository, so that ignored files stay out. */
export function readTree(root: string): Tree {
  const files = listFiles(root);
  const read = remember((file: string) => readFileSync(join(root, file), "utf8"));
  const manifests = files.filter((file) => /^(apps|packages)\/.*package\.json$/.test(file));
  return {
    root,
    files,
    packages: manifests.map((file) => ({
      folder: file.slice(0, -"/package.json".length),
      manifest: readManifest(read(file)),
    })),
    manifest: files.includes("package.json") ? readManifest(read("package.json")) : {},
    read,
    source: remember((file: string) => readSource(file, read(file))),
  };
}

/** The package that a file lies in, or undefined outside the workspace. */
export function packageOf(tree: Tree, file: string): Package | undefined {
  return tree.packages.find(({ folder }) => file.startsWith(`${folder}/`));
}

/** Whether a file holds code with imports. */
export function isCode(file: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(file) && !file.endsWith(".d.ts");
}

/** Whether a file is only there for tests: the build leaves these out. */
export function isTestCode(file: string): boolean {
  return /(\.(test|bench)\.tsx?|\/global-setup\.ts)$/.test(file) || file.includes("/fixtures/");
}

function remember<Value>(compute: (file: string) => Value): (file: string) => Value {
  const known = new Map<string, Value>();
  return (file) => {
    const value = known.get(file) ?? compute(file);
    known.set(file, value);
    return value;
  };
}

function listFiles(root: string): string[] {
  if (!existsSync(join(root, ".git"))) return walk(root, "").toSorted();
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  // A file deleted but not yet committed is still listed.
  return [...new Set(listed.split("\0"))]
    .filter((file) => file !== "" && existsSync(join(root, file)))
    .toSorted();
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.name === "node_modules" || entry.name === "dist") return [];
    return entry.isDirectory() ? walk(root, path) : [path];
  });
}

function readManifest(text: string): Manifest {
  return JSON.parse(text) as Manifest;
}
