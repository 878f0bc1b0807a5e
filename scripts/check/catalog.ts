// The version rule: every version stands once, exact, in the catalog of pnpm-workspace.yaml; packages refer to it or to the workspace.
import type { Finding } from "./findings.ts";
import type { Manifest, Tree } from "./tree.ts";

const FILE = "pnpm-workspace.yaml";
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Judges every manifest of the workspace, the catalog itself, and the toolchain's manifest, which lies outside. */
export function checkCatalog(tree: Tree): Finding[] {
  const manifests = [
    { file: "package.json", manifest: tree.manifest },
    ...tree.packages.map(({ folder, manifest }) => ({ file: `${folder}/package.json`, manifest })),
  ];
  const wanted = manifests.flatMap(({ file, manifest }) =>
    versions(manifest).map(([name, version]) => ({ file, name, version })),
  );
  const used = new Set(
    wanted.filter(({ version }) => version === "catalog:").map(({ name }) => name),
  );
  const catalog = tree.files.includes(FILE) ? readCatalog(tree.read(FILE)) : [];
  return [
    ...wanted
      .filter((each) => !isLawful(each))
      .map(({ file, name, version }) => ({
        file,
        text: `${name}: write "${name.startsWith("@thikaa/") ? "workspace:*" : "catalog:"}", not "${version}"`,
      })),
    ...catalog.flatMap(({ name, version, line }) => {
      if (!used.has(name))
        return [{ file: FILE, line, text: `nobody uses ${name}: remove it from the catalog` }];
      return EXACT.test(version)
        ? []
        : [{ file: FILE, line, text: `${name}: pin one exact version, not ${version}` }];
    }),
    ...checkToolchain(tree),
  ];
}

function isLawful({ name, version }: { name: string; version: string }): boolean {
  return version === (name.startsWith("@thikaa/") ? "workspace:*" : "catalog:");
}

function versions(manifest: Manifest): [string, string][] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  return [dependencies, devDependencies, optionalDependencies, peerDependencies].flatMap((group) =>
    Object.entries(group ?? {}),
  );
}

function checkToolchain(tree: Tree): Finding[] {
  const file = "tools/toolchain/package.json";
  if (!tree.files.includes(file)) return [];
  const manifest = JSON.parse(tree.read(file)) as Manifest;
  return versions(manifest)
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => ({ file, text: `${name}: pin one exact version, not ${version}` }));
}

/** The lines under `catalog:`; the file is ours and keeps to one name and version a line. */
function readCatalog(text: string): { name: string; version: string; line: number }[] {
  const lines = text.split("\n");
  const start = lines.indexOf("catalog:");
  if (start === -1) return [];
  const after = lines.slice(start + 1);
  const end = after.findIndex((line) => /^\S/.test(line));
  return after.slice(0, end === -1 ? after.length : end).flatMap((line, index) => {
    const found = /^\s+"?([^":]+)"?:\s*"?([^"\s]+)"?/.exec(line);
    return found === null
      ? []
      : [{ name: found[1] ?? "", version: found[2] ?? "", line: start + 2 + index }];
  });
}
