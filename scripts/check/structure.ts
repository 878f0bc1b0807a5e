// The structure rules: what every package holds, how every file opens, how long it may be, and what stands in an index or a main file.
import type { Finding } from "./findings.ts";
import { extraDoors } from "./law-table.ts";
import { identifier, isNode } from "./source.ts";
import type { Node } from "./source.ts";
import { isCode, packageOf } from "./tree.ts";
import type { Package, Tree } from "./tree.ts";

const MOST_LINES = 400;
const MOST_LINES_OF_MAIN = 30;
// turbo silently leaves out a package without the script that it runs, so all have the same.
const SCRIPTS = { build: "tsc -p tsconfig.json" };
// Written in pieces, so that this file does not find itself.
const LATER = /\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/;

/** Judges every package and every file of code. */
export function checkStructure(tree: Tree): Finding[] {
  const ours = tree.files.filter((file) => isCode(file) || /\.(css|sql|sh)$/.test(file));
  return [
    ...tree.packages.flatMap((each) => checkPackage(tree, each)),
    ...ours.flatMap((file) => checkFile(tree, file)),
    ...ours.filter(isCode).flatMap((file) => checkCode(tree, file)),
  ];
}

function checkPackage(tree: Tree, { folder, manifest }: Package): Finding[] {
  const file = `${folder}/package.json`;
  const doors = [".", ...(extraDoors[folder] ?? [])];
  const missing = ["tsconfig.json", "src/index.ts"].filter(
    (name) => !tree.files.includes(`${folder}/${name}`),
  );
  return [
    ...missing.map((name) => ({ file: `${folder}/${name}`, text: "every package has this file" })),
    ...demand(file, manifest.name?.startsWith("@thikaa/"), "its name starts with @thikaa/"),
    ...demand(file, manifest.description, "it has a description"),
    ...demand(file, manifest.license === "Apache-2.0", "its license is Apache-2.0"),
    ...demand(file, manifest.type === "module", 'its type is "module"'),
    ...demand(
      file,
      same(manifest.scripts, SCRIPTS),
      `its scripts are ${JSON.stringify(SCRIPTS)}, as in all others`,
    ),
    ...demand(
      file,
      same(manifest.exports, Object.fromEntries(doors.map((door) => [door, doorOf(door)]))),
      `its exports are ${doors.join(" and ")}, each with source, types and default, as in all others`,
    ),
  ];
}

function doorOf(door: string): Record<string, string> {
  const path = `${door.slice(1)}/index`;
  return { source: `./src${path}.ts`, types: `./dist${path}.d.ts`, default: `./dist${path}.js` };
}

function demand(file: string, met: unknown, text: string): Finding[] {
  return met ? [] : [{ file, text: `a package must have this: ${text}` }];
}

function same(value: unknown, wanted: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(wanted);
}

function checkFile(tree: Tree, file: string): Finding[] {
  const text = tree.read(file);
  const lines = text.trimEnd().split("\n");
  const later = lines.findIndex((line) => LATER.test(line));
  // A migration that has run is never split.
  const long = lines.length > MOST_LINES && !file.endsWith(".sql");
  const found: Finding[] = long
    ? [{ file, text: `${lines.length} lines; ${MOST_LINES} is the most` }]
    : [];
  if (later !== -1)
    found.push({
      file,
      line: later + 1,
      text: "finish it, or file it: no notes for later in code",
    });
  if (!opensWithPurpose(lines))
    found.push({ file, line: 1, text: "open with one sentence of purpose in a comment" });
  return found;
}

/** A first comment that is a sentence: it begins in capitals or with a name in quotes, has words, and ends with a stop. */
function opensWithPurpose(lines: readonly string[]): boolean {
  const from = lines[0]?.startsWith("#!") ? 1 : 0;
  const end = lines.findIndex(
    (line, index) => index >= from && !/^\s*(\/\/|\/\*|\*|#|--)/.test(line),
  );
  const comment = lines.slice(from, end === -1 ? lines.length : end);
  const text = comment
    .map((line) => line.replace(/^\s*(\/\/|\/\*+|\*\/|\*|#|--)\s?|\*\/\s*$/g, "").trim())
    .join(" ");
  return text.split(/\s+/).length >= 4 && /[.!?:](\s|$)/.test(text);
}

function checkCode(tree: Tree, file: string): Finding[] {
  const { nodes } = tree.source(file);
  const faults = nodes.flatMap(({ node, line }) =>
    faultsOf(node).map((text) => ({ file, line, text })),
  );
  return [...faults, ...checkRole(tree, file)];
}

/** What an index and an app's main file may hold. */
function checkRole(tree: Tree, file: string): Finding[] {
  const inSource = packageOf(tree, file) !== undefined && file.includes("/src/");
  const { statements } = tree.source(file);
  const outside = (allowed: (node: Node) => boolean, text: string): Finding[] =>
    statements.filter(({ node }) => !allowed(node)).map(({ line }) => ({ file, line, text }));
  if (inSource && file.endsWith("/index.ts")) return outside(exportsOnly, "an index only exports");
  if (!/^apps\/.*\/src\/main\.ts$/.test(file)) return [];
  const long = tree.read(file).split("\n").length > MOST_LINES_OF_MAIN;
  return [
    ...outside(startsOnly, "a main file only starts"),
    ...(long
      ? [{ file, text: `a main file only starts: ${MOST_LINES_OF_MAIN} lines are the most` }]
      : []),
  ];
}

function exportsOnly(node: Node): boolean {
  if (node.type === "ExportAllDeclaration") return true;
  return node.type === "ExportNamedDeclaration" && isNode(node["source"]);
}

const starting = new Set([
  "ImportDeclaration",
  "ExpressionStatement",
  "VariableDeclaration",
  "TryStatement",
  "IfStatement",
]);

function startsOnly(node: Node): boolean {
  return starting.has(node.type);
}

function faultsOf(node: Node): string[] {
  if (node.type === "TSAsExpression" && isDoubleCast(node))
    return ["two casts in a row switch the types off: parse or narrow instead"];
  if (node.type === "CallExpression" && isModuleMock(node))
    return ["tests run on the real modules: replace none of them"];
  return [];
}

function isDoubleCast(node: Node): boolean {
  const inner = node["expression"];
  return isNode(inner) && inner.type === "TSAsExpression";
}

function isModuleMock(node: Node): boolean {
  const callee = node["callee"];
  if (!isNode(callee) || identifier(callee["object"]) !== "vi") return false;
  return ["mock", "doMock", "hoisted"].includes(identifier(callee["property"]) ?? "");
}
