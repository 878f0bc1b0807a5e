// The import law: who may import whom, only through doors, and never in a circle. The table is law-table.ts.
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { findCircles } from "./circles.ts";
import type { Finding } from "./findings.ts";
import {
  adapters,
  computedImports,
  extraDoors,
  leavingImports,
  parts,
  testHelpers,
} from "./law-table.ts";
import type { Part } from "./law-table.ts";
import { isCode, isTestCode, packageOf } from "./tree.ts";
import type { Manifest, Package, Tree } from "./tree.ts";

/** One import under judgement: the file it stands in, that file's package and part, and the path it names. */
interface Case {
  readonly tree: Tree;
  readonly file: string;
  readonly line: number;
  readonly owner: Package;
  readonly part: NamedPart;
  readonly path: string;
}

interface NamedPart extends Part {
  readonly name: string;
}

/** Judges every import of every package. */
export function checkImportLaw(tree: Tree): Finding[] {
  const files = tree.files.filter(isCode).flatMap((file) => {
    const owner = packageOf(tree, file);
    return owner === undefined ? [] : [{ file, owner }];
  });
  const edges = new Map<string, string[]>();
  const findings = files.flatMap(({ file, owner }) => {
    const part = partOf(file);
    const imports = tree.source(file).imports;
    edges.set(
      file,
      imports.flatMap(({ path }) => neighbour(file, path)),
    );
    if (part === undefined)
      return [
        { file, text: "this folder is no part of the law's table (scripts/check/law-table.ts)" },
      ];
    return imports.flatMap(({ path, line }) => {
      if (path === undefined) return judgeComputed(file, line);
      const faults = judge({ tree, file, line, owner, part, path });
      return faults.map((text) => ({ file, line, text }));
    });
  });
  return [...findings, ...fileCircles(edges), ...packageCircles(tree)];
}

/** The part a file belongs to: the row with the longest folder that holds it. */
export function partOf(file: string): NamedPart | undefined {
  const rows = Object.entries(parts).filter(([, { folder }]) => holds(folder, file));
  const [best] = rows.toSorted(([, a], [, b]) => b.folder.length - a.folder.length);
  return best === undefined ? undefined : { name: best[0], ...best[1] };
}

function holds(folder: string, file: string): boolean {
  if (!folder.endsWith("*")) return file.startsWith(`${folder}/`);
  return file.startsWith(folder.slice(0, -1));
}

function judge(imported: Case): string[] {
  const { path, part, file } = imported;
  if (path.startsWith(".")) return judgeRelative(imported);
  if (isBuiltin(path)) {
    if (!part.pure || isTestCode(file)) return [];
    return [`${part.name} does no input or output: it may not import ${path}`];
  }
  if (path.startsWith("/") || path.startsWith("#") || path.includes(":"))
    return [`import a package by its name or a file by its relative path, not ${path}`];
  return path.startsWith("@thikaa/") ? judgeWorkspace(imported) : judgeRegistry(imported);
}

function judgeRelative({ file, owner, part, path }: Case): string[] {
  const target = posix.join(posix.dirname(file), path);
  if (leavingImports.some((exception) => exception.path === file)) return [];
  if (!target.startsWith(`${owner.folder}/`))
    return [
      `a relative import never leaves its package: import the package by its name, not ${path}`,
    ];
  if (isTestCode(target) && !isTestCode(file))
    return [`${path} is there for tests only: the build leaves it out`];
  const other = partOf(target);
  if (other === undefined || other.name === part.name || isTestCode(file)) return [];
  return part.mayImport.includes(other.name) ? [] : [refusal(part, other.name)];
}

function judgeWorkspace({ tree, file, owner, part, path }: Case): string[] {
  const [scope, short, ...rest] = path.split("/");
  const name = `${scope}/${short}`;
  const target = tree.packages.find(({ manifest }) => manifest.name === name);
  if (target === undefined) return [`no package of the workspace is called ${name}`];
  if (target.folder === owner.folder)
    return [`import your own package by relative paths, not ${path}`];
  const door = rest.length === 0 ? "." : `./${rest.join("/")}`;
  if (door !== "." && !(extraDoors[target.folder] ?? []).includes(door))
    return [`${path} is inside ${name}: import what its door exports`];
  const wanted = partOf(`${target.folder}/src${door.slice(1)}/index.ts`)?.name ?? name;
  const lawful =
    part.mayImport.includes(wanted) ||
    mayAsApp(part, target) ||
    mayAsTest({ file, owner, target, wanted });
  return [
    ...(lawful ? [] : [refusal(part, wanted)]),
    ...judgeDeclared({ tree, file, owner, name }),
  ];
}

function mayAsApp(part: NamedPart, target: Package): boolean {
  return part.mayImport.includes("apps") && target.folder.startsWith("apps/");
}

/** Tests may import helpers, and the packages that their manifest names for development; never another app. */
function mayAsTest(test: {
  file: string;
  owner: Package;
  target: Package;
  wanted: string;
}): boolean {
  if (!isTestCode(test.file) || test.target.folder.startsWith("apps/")) return false;
  const named = test.owner.manifest.devDependencies ?? {};
  return testHelpers.includes(test.wanted) || Object.hasOwn(named, test.target.manifest.name ?? "");
}

function judgeRegistry({ tree, file, owner, part, path }: Case): string[] {
  const [first = "", second = ""] = path.split("/");
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  const barred = part.registry !== undefined && !part.registry.includes(name) && !isTestCode(file);
  if (barred)
    return [
      `${part.name} may import only ${part.registry?.join(" and ")} from the registry, not ${name}`,
    ];
  return [...judgeAdapted(file, name), ...judgeDeclared({ tree, file, owner, name })];
}

/** Tests too: what they need of such a package they get from its adapter. */
function judgeAdapted(file: string, name: string): string[] {
  const homes = adapters.find(({ packages }) => packages.includes(name))?.homes;
  if (homes === undefined || homes.some((home) => file.startsWith(home))) return [];
  return [`${name} is imported in ${homes.join(" and ")} alone: use what its adapter exports`];
}

/** What a file imports stands in its own package's manifest; the root's packages are at hand for tests only. */
function judgeDeclared(wanted: {
  tree: Tree;
  file: string;
  owner: Package;
  name: string;
}): string[] {
  const { tree, file, owner, name } = wanted;
  const { manifest } = owner;
  const shipped = {
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  };
  const inTests = isTestCode(file)
    ? { ...manifest.devDependencies, ...everything(tree.manifest) }
    : {};
  // A package's types may come from `@types/…`, which is there for development only.
  const types = `@types/${name.replace("@", "").replace("/", "__")}`;
  const declared = { ...shipped, ...inTests };
  if (Object.hasOwn(declared, name) || Object.hasOwn(manifest.devDependencies ?? {}, types))
    return [];
  return [`${name} is not among the dependencies of ${owner.folder}/package.json`];
}

function everything(manifest: Manifest): Record<string, string> {
  return { ...manifest.dependencies, ...manifest.devDependencies };
}

function judgeComputed(file: string, line: number): Finding[] {
  if (isTestCode(file) || computedImports.some(({ path }) => path === file)) return [];
  return [
    { file, line, text: "an import whose path is computed can't be judged: write the path out" },
  ];
}

function refusal(part: NamedPart, wanted: string): string {
  const allowed =
    part.mayImport.length === 0 ? "nothing of the workspace" : part.mayImport.join(", ");
  return `${part.name} may not import ${wanted}; it may import ${allowed}`;
}

function neighbour(file: string, path: string | undefined): string[] {
  return path?.startsWith(".") ? [posix.join(posix.dirname(file), path)] : [];
}

function fileCircles(edges: ReadonlyMap<string, readonly string[]>): Finding[] {
  return findCircles(edges).map((circle) => ({
    file: circle[0] ?? "",
    text: `files import each other in a circle: ${circle.join(", ")}`,
  }));
}

function packageCircles(tree: Tree): Finding[] {
  const graph = new Map(
    tree.packages.map(({ folder, manifest }) => {
      const names = Object.keys({ ...everything(manifest), ...manifest.optionalDependencies });
      const known = tree.packages.filter((other) => names.includes(other.manifest.name ?? ""));
      return [folder, known.map((other) => other.folder)];
    }),
  );
  return findCircles(graph).map((circle) => ({
    file: `${circle[0]}/package.json`,
    text: `packages depend on each other in a circle: ${circle.join(", ")}`,
  }));
}
