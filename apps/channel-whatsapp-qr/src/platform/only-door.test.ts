// Baileys is reached through the files of this folder alone: another version of it changes nothing else.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const source = join(import.meta.dirname, "..");

test("no file outside of platform/ imports Baileys or what it is made of", () => {
  const outside = globSync("**/*.ts", { cwd: source }).filter(
    (file) => !file.startsWith("platform/"),
  );
  const importing = outside.filter((file) =>
    /from "(@whiskeysockets\/baileys|libsignal|ws)/.test(readFileSync(join(source, file), "utf8")),
  );
  expect(outside.length).toBeGreaterThan(20);
  expect(importing).toEqual([]);
});
