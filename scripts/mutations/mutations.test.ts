// Every mutation still finds its place: code that was rewritten would otherwise leave a promise without its proof.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mutations } from "./mutations.ts";

const root = join(import.meta.dirname, "../..");

test.each(mutations)("$name: its place is in $file, once", ({ file, find }) => {
  expect(readFileSync(join(root, file), "utf8").split(find)).toHaveLength(2);
});
