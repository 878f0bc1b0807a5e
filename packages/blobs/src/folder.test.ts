// Blobs in a real folder: the conformance suite, and what a crash leaves.
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testBlobStore } from "./fixtures/conformance.ts";
import { FolderBlobStore } from "./folder.ts";

let folder: string;
let store: FolderBlobStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thikaa-blobs-"));
  store = await FolderBlobStore.open(join(folder, "media"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

testBlobStore(() => ({
  store,
  reopen: () => FolderBlobStore.open(join(folder, "media")),
  count: async () => (await filesBelow(folder)).length,
}));

test("what a crash left half written is cleared after a day, what is being written stays", async () => {
  const unfinished = join(folder, "media", "unfinished");
  await writeFile(join(unfinished, "old"), "x");
  await writeFile(join(unfinished, "new"), "x");
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(unfinished, "old"), yesterday, yesterday);
  await FolderBlobStore.open(join(folder, "media"));
  expect(await filesBelow(unfinished)).toEqual(["new"]);
});

test("a key never opens another file of the folder", async () => {
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "media", "secret"), "secret");
  for (const key of ["../secret", "../../secret", "secret", "unfinished/../secret"]) {
    expect(await store.open(key)).toBeNull();
    await store.delete(key);
  }
  expect(await filesBelow(folder)).toHaveLength(2);
});
