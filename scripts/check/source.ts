// Reads one source file by its syntax tree: what it imports, the words it writes, and what stands at its top level.
import { parseAst } from "vitest/node";

/** One import of a file, whatever its form; type-only imports count like all others. */
export interface Import {
  /** The path as written, or undefined where it is not a plain text. */
  readonly path: string | undefined;
  readonly line: number;
}

export interface Source {
  readonly imports: readonly Import[];
  /** Texts, property names and members: where a channel's code would be written. */
  readonly words: readonly { readonly word: string; readonly line: number }[];
  /** `type` of every statement at the top level, with its line. */
  readonly statements: readonly { readonly node: Node; readonly line: number }[];
  /** Every node of the tree in the order of the text. */
  readonly nodes: readonly { readonly node: Node; readonly line: number }[];
}

/** A node of the syntax tree (ESTree with TypeScript's additions). */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Parses a file; throws with the parser's own words when it is not valid. */
export function readSource(file: string, text: string): Source {
  const lang = file.endsWith("x") ? "tsx" : "ts";
  const program: unknown = parseAst(text, { lang }, file);
  const lineOf = lineFinder(text);
  const nodes: { node: Node; line: number }[] = [];
  visit(program, (node) => nodes.push({ node, line: lineOf(node.start) }));
  const body = isNode(program) && Array.isArray(program["body"]) ? program["body"] : [];
  return {
    imports: nodes.flatMap(({ node, line }) => importOf(node, line)),
    words: nodes.flatMap(({ node, line }) => wordsOf(node).map((word) => ({ word, line }))),
    statements: body.filter(isNode).map((node) => ({ node, line: lineOf(node.start) })),
    nodes,
  };
}

/** The text of a literal node, or undefined when it is anything else. */
export function literal(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Literal" && typeof value["value"] === "string") return value["value"];
  return undefined;
}

/** The name of an identifier node, or undefined when it is anything else. */
export function identifier(value: unknown): string | undefined {
  return isNode(value) && value.type === "Identifier" && typeof value["name"] === "string"
    ? value["name"]
    : undefined;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

const importing = new Set([
  "ImportDeclaration",
  "ExportAllDeclaration",
  "ExportNamedDeclaration",
  "ImportExpression",
  "TSImportType",
  "TSExternalModuleReference",
]);

function importOf(node: Node, line: number): Import[] {
  if (node.type === "CallExpression") return resolvedPath(node, line);
  if (!importing.has(node.type)) return [];
  const source = node["source"] ?? node["expression"];
  // `export { a }` without a source imports nothing.
  return isNode(source) ? [{ path: literal(source), line }] : [];
}

/** `require("x")`, `require.resolve("x")` and `import.meta.resolve("x")` reach as far as an import does. */
function resolvedPath(node: Node, line: number): Import[] {
  const callee = node["callee"];
  const given: unknown = node["arguments"];
  const first: unknown = Array.isArray(given) ? given[0] : undefined;
  const resolves =
    isNode(callee) && identifier(callee["property"]) === "resolve" && isResolver(callee["object"]);
  return resolves || isResolver(callee) ? [{ path: literal(first), line }] : [];
}

function isResolver(value: unknown): boolean {
  if (!isNode(value)) return false;
  const made = value.type === "CallExpression" && identifier(value["callee"]) === "createRequire";
  return made || identifier(value) === "require" || value.type === "MetaProperty";
}

function wordsOf(node: Node): string[] {
  if (node.type === "TemplateElement") return text(node["value"]);
  if (node.type === "MemberExpression" && node["computed"] === false)
    return present(identifier(node["property"]));
  if (/Property(Signature|Definition)?$/.test(node.type) && node["computed"] === false)
    return present(identifier(node["key"]));
  return present(literal(node));
}

function text(value: unknown): string[] {
  if (typeof value !== "object" || value === null || !("cooked" in value)) return [];
  return typeof value.cooked === "string" ? [value.cooked] : [];
}

function present(word: string | undefined): string[] {
  return word === undefined ? [] : [word];
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(each, see);
  } else if (isNode(value)) {
    see(value);
    for (const key in value) visit(value[key], see);
  }
}

/** Gives the line of an offset; nodes come nearly in order, so the search starts where the last one ended. */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  let line = 0;
  return (offset) => {
    while (line > 0 && (starts[line] ?? 0) > offset) line -= 1;
    while ((starts[line + 1] ?? Infinity) <= offset) line += 1;
    return line + 1;
  };
}
