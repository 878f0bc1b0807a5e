// The other checks bite too: names of channels, structure, versions, generated files and leaks, each broken once.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkCatalog } from "./catalog.ts";
import { lawfulPackage, lines, smallTree } from "./fixtures/small-tree.ts";
import type { Files } from "./fixtures/small-tree.ts";
import { checkGenerated } from "./generated.ts";
import { checkLeaks } from "./leaks.ts";
import { checkNamingLaw } from "./naming-law.ts";
import { checkStructure } from "./structure.ts";

const purpose = "// What this file is for.\n";
const house: Files = {
  ...lawfulPackage("packages/db"),
  "packages/db/src/index.ts": "// The door of this package.\n",
};

function names(file: string, text: string): string[] {
  return lines(checkNamingLaw(smallTree({ [file]: text }), []));
}

function structure(files: Files): string[] {
  return lines(checkStructure(smallTree({ ...house, ...files })));
}

test.each([
  [
    "a provider's name in code",
    "apps/gateway/src/a.ts",
    "export const telegramUrl = 1;",
    "telegram",
  ],
  ["a provider's name in a comment", "packages/db/src/a.ts", "// As WhatsApp does.", "WhatsApp"],
  ["a provider's name in SQL", "packages/db/migrations/0001-a.sql", "-- Instagram", "Instagram"],
  ["a provider's name as a file's name", "packages/db/src/tiktok.ts", "", "tiktok"],
  ["a provider's library", "apps/channel-meta/src/a.ts", `import "grammy";`, "grammy"],
  ["another provider in a channel app", "apps/channel-telegram/src/a.ts", "// Baileys", "Baileys"],
  ["a channel's code as a text", "apps/gateway/src/a.ts", `export const a = "tg";`, '"tg"'],
  ["a channel's code in a template", "apps/gateway/src/a.ts", "export const a = `wd`;", '"wd"'],
  ["a channel's code as a type", "apps/gateway/src/a.ts", `export type A = "fb" | "x";`, '"fb"'],
  ["a channel's code as a key", "apps/gateway/src/a.ts", "export const a = { ig: 1 };", '"ig"'],
  [
    "a channel's code as a member",
    "apps/gateway/src/a.ts",
    "export const a = (b: B) => b.tt;",
    '"tt"',
  ],
  [
    "a channel's code in SQL",
    "packages/db/migrations/0001-a.sql",
    "check (channel <> 'wa')",
    "'wa'",
  ],
])("%s is refused outside its home", (_name, file, text, found) => {
  const [first, ...others] = names(file, text);
  expect(others).toEqual([]);
  expect(first).toContain(`${found} may be named only in its own app`);
});

test.each([
  ["its own app", "apps/channel-telegram/src/a.ts", `export const telegram = "tg";`],
  ["its stand-in", "packages/stand-ins/src/telegram/a.ts", `export const telegram = "tg";`],
  ["a test", "apps/gateway/src/a.test.ts", `const telegram = "tg";`],
  ["a document", "docs/guides/a.md", "Telegram"],
])("a channel may be named in %s", (_name, file, text) => {
  expect(names(file, text)).toEqual([]);
});

test("an exception lets a file name channels, and is reported when nobody needs it", () => {
  const tree = smallTree({ "apps/cli/src/a.ts": `export const a = "tg";` });
  const used = { path: "apps/cli/src/", reason: "examples" };
  expect(checkNamingLaw(tree, [used])).toEqual([]);
  const idle = { path: "apps/inbox/src/", reason: "none" };
  expect(lines(checkNamingLaw(tree, [used, idle]))).toEqual([
    expect.stringContaining("the exception for apps/inbox/src/ is no longer needed"),
  ]);
});

test("a house that keeps the structure passes", () => {
  expect(structure({ "packages/db/src/a.ts": purpose })).toEqual([]);
});

test.each<[string, Files, string]>([
  [
    "without a purpose",
    { "packages/db/src/a.ts": "export {};" },
    "open with one sentence of purpose",
  ],
  [
    "with a word for a purpose",
    { "packages/db/src/a.ts": "// Helpers\n" },
    "open with one sentence of purpose",
  ],
  [
    "of 401 lines",
    { "packages/db/src/a.ts": purpose + "\n".repeat(399) + "export {};" },
    "401 lines; 400 is the most",
  ],
  [
    "with a note for later",
    { "packages/db/src/a.ts": `${purpose}// ${"TO"}${"DO"} more` },
    "finish it, or file it",
  ],
  [
    "with two casts in a row",
    { "packages/db/src/a.ts": `${purpose}export const a = 1 as unknown as string;` },
    "two casts in a row",
  ],
  [
    "that replaces a module in a test",
    { "packages/db/src/a.test.ts": `${purpose}vi.mock("./b.ts");` },
    "replace none of them",
  ],
  [
    "called index.ts with code",
    { "packages/db/src/index.ts": `${purpose}export const a = 1;` },
    "an index only exports",
  ],
  [
    "called main.ts with a function",
    {
      ...lawfulPackage("apps/inbox"),
      "apps/inbox/src/index.ts": purpose,
      "apps/inbox/src/main.ts": `${purpose}function a() {}`,
    },
    "a main file only starts",
  ],
])("a file %s is refused", (_name, files, rule) => {
  expect(structure(files)).toEqual([expect.stringContaining(rule)]);
});

test.each<[string, Files, string]>([
  [
    "without a description",
    lawfulPackage("packages/db", { description: "" }),
    "it has a description",
  ],
  [
    "with a script of its own",
    lawfulPackage("packages/db", { scripts: { build: "tsc -p tsconfig.json", lint: "x" } }),
    "its scripts are",
  ],
  ["without the build script", lawfulPackage("packages/db", { scripts: {} }), "its scripts are"],
  [
    "with a third door",
    lawfulPackage("packages/db", { exports: { ".": {}, "./inside": {} } }),
    "its exports are .",
  ],
  [
    "with another licence",
    lawfulPackage("packages/db", { license: "MIT" }),
    "its license is Apache-2.0",
  ],
])("a package %s is refused", (_name, files, rule) => {
  expect(structure({ ...files, "packages/db/src/index.ts": purpose })).toEqual([
    expect.stringContaining(rule),
  ]);
});

test("a package without a door or settings is refused", () => {
  const { "packages/db/package.json": manifest = "" } = house;
  expect(lines(checkStructure(smallTree({ "packages/db/package.json": manifest })))).toEqual([
    "packages/db/tsconfig.json  every package has this file",
    "packages/db/src/index.ts  every package has this file",
  ]);
});

test("versions stand in the catalog, exact, and somebody uses them", () => {
  const catalog =
    "packages:\n  - packages/*\ncatalog:\n  pg: 8.23.1\n  zod: ^4.6.7\n  idle: 1.0.0\n";
  const found = lines(
    checkCatalog(
      smallTree({
        "package.json": { devDependencies: { vitest: "5.1.1" } },
        "pnpm-workspace.yaml": catalog,
        "tools/toolchain/package.json": { dependencies: { pnpm: "^12.18.0" } },
        ...lawfulPackage("packages/db", {
          dependencies: { pg: "catalog:", zod: "catalog:", "@thikaa/schema": "0.1.0" },
          peerDependencies: { kysely: "*" },
        }),
      }),
    ),
  );
  expect(found).toEqual([
    'package.json  vitest: write "catalog:", not "5.1.1"',
    'packages/db/package.json  @thikaa/schema: write "workspace:*", not "0.1.0"',
    'packages/db/package.json  kysely: write "catalog:", not "*"',
    "pnpm-workspace.yaml:5  zod: pin one exact version, not ^4.6.7",
    "pnpm-workspace.yaml:6  nobody uses idle: remove it from the catalog",
    "tools/toolchain/package.json  pnpm: pin one exact version, not ^12.18.0",
  ]);
});

test("a generated file that differs from what its generator prints is refused, and written on demand", () => {
  const { root } = smallTree({ "docs/reference/a.txt": "old" });
  const list = [
    { file: "docs/reference/a.txt", command: [process.execPath, "-p", "'new'"] as const },
  ];
  expect(lines(checkGenerated(root, { list }))).toEqual([
    expect.stringContaining("docs/reference/a.txt  no longer what"),
  ]);
  expect(checkGenerated(root, { list, write: true })).toEqual([]);
  expect(checkGenerated(root, { list })).toEqual([]);
  writeFileSync(join(root, "docs/reference/a.txt"), "changed by hand");
  expect(checkGenerated(root, { list })).toHaveLength(1);
});

// Put together here, so that this file holds none of them.
const random = "aB3".repeat(12);
test.each([
  ["a private key", `-----BEGIN RSA PRIVATE${" KEY-----"}`],
  ["an API key", `tk_live_${random}`],
  ["a webhook secret", `whsec_${random}aB3aB3a=`],
  ["a bot token", `7100200300:${random.slice(1)}`],
  ["a cloud key", `AKIA${"ABCD".repeat(4)}`],
  ["a secret key", `sk-${random}`],
  ["an address with a password", `postgresql://owner:${"s3cretpass"}@db.example/x`],
  ["a registry's host", ["registry", "example", "com"].join(".")],
  ["a distribution's host", ["deb", "debian", "org"].join(".")],
  ["a path of somebody's home", ["", "home", "zainab", "x"].join("/")],
  ["a path of a passing folder", ["", "tmp", "x"].join("/")],
  ["this machine's name", "build-host-7"],
])("%s in a committed file is found", (_name, text) => {
  const tree = smallTree({ "docs/a.md": `First line.\nSee "${text}" here.\n` });
  expect(lines(checkLeaks(tree, ["build-host-7"]))).toEqual([
    expect.stringMatching(/^docs\/a\.md:2 {2}.* must not be committed$/),
  ]);
});

test("a download address in the lockfile is found", () => {
  const tree = smallTree({
    "pnpm-lock.yaml": "packages:\n  a@1.0.0:\n    resolution: {tarball: x}\n",
  });
  expect(lines(checkLeaks(tree, []))).toEqual([
    "pnpm-lock.yaml:3  a download address must not be in the lockfile",
  ]);
});
