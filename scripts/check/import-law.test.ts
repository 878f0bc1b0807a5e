// The import law bites: each small tree here breaks one rule, and the law names the file, the line and the rule.
import { expect, test } from "vitest";
import { lawfulPackage, lines, smallTree } from "./fixtures/small-tree.ts";
import type { Files } from "./fixtures/small-tree.ts";
import { checkImportLaw } from "./import-law.ts";

const workspace = "workspace:*";

/** A small house in which everything is lawful; every package may reach every other by its manifest. */
const house: Files = {
  "package.json": { devDependencies: { vitest: "catalog:", "@thikaa/testkit": workspace } },
  ...lawfulPackage("packages/schema", { dependencies: { zod: "catalog:" } }),
  ...lawfulPackage("packages/bus", { dependencies: { "@thikaa/schema": workspace } }),
  ...lawfulPackage("packages/db", {
    dependencies: { "@thikaa/schema": workspace, "@thikaa/bus": workspace },
  }),
  ...lawfulPackage("packages/runtime", { dependencies: { "@thikaa/db": workspace } }),
  ...lawfulPackage("packages/sending", {
    dependencies: { "@thikaa/db": workspace, "@thikaa/runtime": workspace },
    devDependencies: { "@thikaa/vault": workspace },
  }),
  ...lawfulPackage("packages/vault"),
  ...lawfulPackage("packages/egress"),
  ...lawfulPackage("packages/testkit"),
  ...lawfulPackage("packages/embedded", { dependencies: { "@thikaa/schema": workspace } }),
  ...lawfulPackage("packages/connector-kit", {
    dependencies: { "@thikaa/schema": workspace, "@thikaa/db": workspace, pg: "catalog:" },
  }),
  ...lawfulPackage("apps/channel-telegram", {
    dependencies: { "@thikaa/connector-kit": workspace, "@thikaa/db": workspace },
    devDependencies: { "@thikaa/gateway": workspace },
  }),
  ...lawfulPackage("apps/gateway", {
    dependencies: {
      "@thikaa/db": workspace,
      "@thikaa/connector-kit": workspace,
      "@thikaa/inbox": workspace,
    },
    devDependencies: { "@thikaa/inbox": workspace },
  }),
  ...lawfulPackage("apps/inbox", { dependencies: { "@thikaa/db": workspace } }),
  ...lawfulPackage("apps/cli", { dependencies: { "@thikaa/db": workspace } }),
  ...lawfulPackage("apps/standalone", {
    dependencies: { "@thikaa/gateway": workspace, "@thikaa/vault": workspace },
  }),
};

function judge(file: string, text: string, more: Files = {}): string[] {
  return lines(checkImportLaw(smallTree({ ...house, ...more, [file]: text })));
}

test("a lawful house passes", () => {
  expect(lines(checkImportLaw(smallTree(house)))).toEqual([]);
});

test.each([
  [
    "a package imports its neighbours in the table",
    "packages/db/src/a.ts",
    `import { b } from "@thikaa/schema";`,
  ],
  ["an app imports what services may", "apps/gateway/src/a.ts", `import { b } from "@thikaa/db";`],
  [
    "a channel app opens both doors of the kit",
    "apps/channel-telegram/src/a.ts",
    `import "@thikaa/connector-kit"; import "@thikaa/connector-kit/host";`,
  ],
  [
    "standalone starts an app",
    "apps/standalone/src/a.ts",
    `import { start } from "@thikaa/gateway";`,
  ],
  [
    "the host imports its contract",
    "packages/connector-kit/src/host/a.ts",
    `import { b } from "../b.ts";`,
  ],
  [
    "a test imports the test helpers",
    "packages/bus/src/a.test.ts",
    `import "@thikaa/testkit"; import "vitest";`,
  ],
  [
    "a test imports what its manifest names for development",
    "packages/sending/src/a.test.ts",
    `import "@thikaa/vault";`,
  ],
  ["a package other than the schema uses Node", "packages/db/src/a.ts", `import "node:fs";`],
])("%s", (_name, file, text) => {
  expect(judge(file, text)).toEqual([]);
});

test.each([
  [
    "a package that the table forbids",
    "packages/db/src/a.ts",
    `import { b } from "@thikaa/bus";`,
    "db may not import bus; it may import schema",
  ],
  [
    "the same, for types only",
    "packages/db/src/a.ts",
    `import type { B } from "@thikaa/bus";`,
    "db may not import bus",
  ],
  [
    "the same, in the place of a type",
    "packages/db/src/a.ts",
    `export type A = import("@thikaa/bus").B;`,
    "db may not import bus",
  ],
  [
    "the same, exported onward",
    "packages/db/src/a.ts",
    `export * from "@thikaa/bus";`,
    "db may not import bus",
  ],
  [
    "the same, loaded later",
    "packages/db/src/a.ts",
    `export const a = () => import("@thikaa/bus");`,
    "db may not import bus",
  ],
  [
    "the same, by require",
    "packages/db/src/a.ts",
    `createRequire(import.meta.url)("@thikaa/bus");`,
    "db may not import bus",
  ],
  [
    "sending and the runtime",
    "packages/sending/src/a.ts",
    `import "@thikaa/runtime";`,
    "sending may not import runtime",
  ],
  [
    "a channel app and the database",
    "apps/channel-telegram/src/a.ts",
    `import "@thikaa/db";`,
    "channel-* may not import db",
  ],
  [
    "an app and a connector's contract",
    "apps/gateway/src/a.ts",
    `import "@thikaa/connector-kit";`,
    "gateway may not import connector-kit",
  ],
  [
    "an app and another app",
    "apps/gateway/src/a.ts",
    `import "@thikaa/inbox";`,
    "gateway may not import inbox",
  ],
  [
    "a test and another app",
    "apps/gateway/src/a.test.ts",
    `import "@thikaa/inbox";`,
    "gateway may not import inbox",
  ],
  [
    "the command line and the database",
    "apps/cli/src/a.ts",
    `import "@thikaa/db";`,
    "cli may not import db; it may import schema, sdk",
  ],
  [
    "standalone and what only apps need",
    "apps/standalone/src/a.ts",
    `import "@thikaa/vault";`,
    "standalone may not import vault",
  ],
  [
    "the contract and its host",
    "packages/connector-kit/src/a.ts",
    `import "./host/index.ts";`,
    "connector-kit may not import connector-kit/host",
  ],
  [
    "the contract and the database",
    "packages/connector-kit/src/a.ts",
    `import "@thikaa/db";`,
    "connector-kit may not import db",
  ],
  [
    "the contract and a package of the registry",
    "packages/connector-kit/src/a.ts",
    `import "pg";`,
    "connector-kit may import only zod from the registry, not pg",
  ],
  [
    "the schema and Node",
    "packages/schema/src/a.ts",
    `import "node:fs";`,
    "schema does no input or output: it may not import node:fs",
  ],
  [
    "the schema and Node by its short name",
    "packages/schema/src/a.ts",
    `import "fs";`,
    "it may not import fs",
  ],
  [
    "another package's inside",
    "apps/gateway/src/a.ts",
    `import "@thikaa/db/src/keys.ts";`,
    "@thikaa/db/src/keys.ts is inside @thikaa/db",
  ],
  [
    "a door that a package does not have",
    "apps/gateway/src/a.ts",
    `import "@thikaa/db/host";`,
    "@thikaa/db/host is inside @thikaa/db",
  ],
  [
    "a path out of the package",
    "apps/gateway/src/a.ts",
    `import "../../inbox/src/index.ts";`,
    "a relative import never leaves its package",
  ],
  [
    "a path into a folder with a longer name",
    "apps/gateway/src/a.ts",
    `import "../../gateway-two/a.ts";`,
    "a relative import never leaves its package",
  ],
  [
    "an absolute path",
    "apps/gateway/src/a.ts",
    `import "/srv/a.ts";`,
    "import a package by its name or a file by its relative path",
  ],
  [
    "a package by its own name",
    "packages/db/src/a.ts",
    `import "@thikaa/db";`,
    "import your own package by relative paths",
  ],
  [
    "a package that does not exist",
    "packages/db/src/a.ts",
    `import "@thikaa/ghost";`,
    "no package of the workspace is called @thikaa/ghost",
  ],
  [
    "a package that the manifest does not name",
    "packages/vault/src/a.ts",
    `import "@thikaa/schema";`,
    "@thikaa/schema is not among the dependencies of packages/vault/package.json",
  ],
  [
    "a registry package that only the root names",
    "packages/db/src/a.ts",
    `import "vitest";`,
    "vitest is not among the dependencies of packages/db/package.json",
  ],
  [
    "test code in what ships",
    "packages/db/src/a.ts",
    `import "./b.test.ts";`,
    "./b.test.ts is there for tests only",
  ],
  [
    "a path that is computed",
    "packages/db/src/a.ts",
    `export const a = (b: string) => import(b);`,
    "an import whose path is computed can't be judged",
  ],
])("%s is refused", (_name, file, text, rule) => {
  const found = judge(file, text);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${file}:1  `);
  expect(found[0]).toContain(rule);
});

test("the host may not import a channel app", () => {
  const more = lawfulPackage("packages/connector-kit", {
    dependencies: { "@thikaa/channel-telegram": workspace },
  });
  const telegram = lawfulPackage("apps/channel-telegram");
  const found = judge(
    "packages/connector-kit/src/host/a.ts",
    `\nimport "@thikaa/channel-telegram";`,
    { ...more, ...telegram },
  );
  expect(found).toEqual([
    expect.stringContaining("src/host/a.ts:2  connector-kit/host may not import channel-*"),
  ]);
});

test.each([
  ["its value", `import { proto } from "@whiskeysockets/baileys";`],
  ["a type of it", `import type { WASocket } from "@whiskeysockets/baileys";`],
  ["a file inside it", `import "@whiskeysockets/baileys/lib/index.js";`],
  ["it under its other name", `import "baileys";`],
  ["what it is made of", `import "libsignal";`],
  ["it later", `export const a = () => import("@whiskeysockets/baileys");`],
])("Baileys is reached through its adapter: nothing else imports %s", (_name, text) => {
  const names = ["@whiskeysockets/baileys", "baileys", "libsignal"];
  const more = lawfulPackage("apps/channel-whatsapp-qr", {
    dependencies: Object.fromEntries(names.map((name) => [name, "catalog:"])),
  });
  const app = "apps/channel-whatsapp-qr/src";
  expect(judge(`${app}/platform/a.ts`, text, more)).toEqual([]);
  for (const file of [`${app}/a.ts`, `${app}/a.test.ts`, `${app}/outbound/a.ts`])
    expect(judge(file, text, more)).toEqual([
      expect.stringContaining(
        "is imported in apps/channel-whatsapp-qr/src/platform/ and packages/stand-ins/src/whatsapp-qr/ alone",
      ),
    ]);
});

test("files that import each other in a circle are refused, type-only imports included", () => {
  const found = judge("packages/db/src/a.ts", `import type { B } from "./b.ts";`, {
    "packages/db/src/b.ts": `import { c } from "./c.ts";`,
    "packages/db/src/c.ts": `import { a } from "./a.ts";`,
  });
  expect(found).toEqual([
    "packages/db/src/a.ts  files import each other in a circle: packages/db/src/a.ts, packages/db/src/b.ts, packages/db/src/c.ts",
  ]);
});

test("a diamond of imports is no circle", () => {
  const found = judge("packages/db/src/a.ts", `import "./b.ts"; import "./c.ts";`, {
    "packages/db/src/b.ts": `import "./d.ts";`,
    "packages/db/src/c.ts": `import "./d.ts";`,
    "packages/db/src/d.ts": "",
  });
  expect(found).toEqual([]);
});

test("packages that depend on each other in a circle are refused, development included", () => {
  const found = judge("packages/vault/src/a.ts", "", {
    ...lawfulPackage("packages/vault", { devDependencies: { "@thikaa/egress": workspace } }),
    ...lawfulPackage("packages/egress", { devDependencies: { "@thikaa/vault": workspace } }),
  });
  expect(found).toEqual([
    "packages/egress/package.json  packages depend on each other in a circle: packages/egress, packages/vault",
  ]);
});

test("a folder that the table does not describe is refused", () => {
  const found = judge("packages/helpers/src/a.ts", "", lawfulPackage("packages/helpers"));
  expect(new Set(found.map((line) => line.split("  ")[1]))).toEqual(
    new Set(["this folder is no part of the law's table (scripts/check/law-table.ts)"]),
  );
});

test("an import in a comment or a text is none", () => {
  const text = `// import "@thikaa/bus";\nexport const a = 'import "@thikaa/bus"';\n`;
  expect(judge("packages/db/src/a.ts", text)).toEqual([]);
});
