// The key store: one lock for all, one write for a transaction, durable before it ends, and nothing said after a failure.
import { deferred } from "@thikaa/testkit";
import { describe, expect, test } from "vitest";
import { KeyStore } from "./key-store.ts";
import type { KeyShelf } from "./key-store.ts";

interface Written {
  readonly values: Readonly<Record<string, string | null>>;
  readonly items: readonly { readonly key: string }[];
}

/** A shelf in memory; `meanwhile` runs before each call of it ends. */
function openStore(meanwhile: () => Promise<unknown> = () => Promise.resolve()) {
  const kept = new Map<string, string>();
  const written: Written[] = [];
  const faults: Error[] = [];
  const read: string[] = [];
  const credentials: { unsaved: Record<string, string> | null } = { unsaved: null };
  const shelf: KeyShelf = {
    async get(keys) {
      read.push(...keys);
      const found = new Map([...kept].filter(([key]) => keys.includes(key)));
      await meanwhile();
      return found;
    },
    async set(values, items) {
      await meanwhile();
      written.push({ values, items });
      for (const [key, value] of Object.entries(values))
        if (value === null) kept.delete(key);
        else kept.set(key, value);
    },
  };
  const store = new KeyStore({
    shelf,
    prefix: "p/",
    takeCredentials: () => {
      const { unsaved } = credentials;
      credentials.unsaved = null;
      return unsaved;
    },
    onFault: (error) => void faults.push(error),
  });
  return { store, kept, written, faults, read, credentials };
}

const bytes = (n: number) => Uint8Array.of(n);
const session = async (store: KeyStore, id = "a") => [
  ...((await store.get("session", [id]))[id] ?? []),
];
const item = { key: "1", thread: "t", raw: "{}" };

test("a transaction waits for every other one, whatever its label: none overwrites what it has not seen", async () => {
  const { store } = openStore(() => new Promise((resolve) => setTimeout(resolve, 2)));
  const step = async () => {
    const [last = 0] = await session(store);
    await store.set({ session: { a: bytes(last + 1) } });
  };
  await Promise.all(["sending", "receiving", "me"].map((label) => store.transaction(step, label)));
  expect(await session(store)).toEqual([3]);
});

test("a transaction is one write, with the items that came in and the credentials that changed", async () => {
  const { store, written, credentials } = openStore();
  await store.transaction(async () => {
    await store.set({ session: { a: bytes(1) }, "pre-key": { 7: null } });
    store.keep([item], { "recent/0": "in/1" });
    credentials.unsaved = { "p/creds": "{}" };
    expect(written).toEqual([]);
  }, "me");
  expect(written).toHaveLength(1);
  expect(Object.keys(written[0]?.values ?? {}).toSorted()).toEqual(
    ["p/creds", "p/pre-key/7", "p/session/a", "recent/0"].toSorted(),
  );
  expect(written[0]?.items).toEqual([item]);
});

test("eight hundred pre-keys are one write", async () => {
  const { store, written } = openStore();
  const pairs = Array.from({ length: 812 }, (_, id) => [
    id,
    { public: bytes(1), private: bytes(2) },
  ]);
  await store.transaction(() => store.set({ "pre-key": Object.fromEntries(pairs) }), "me");
  expect(written).toHaveLength(1);
});

test("what was committed stays when the rest of a transaction fails; nothing else does", async () => {
  const { store, written } = openStore();
  const failing = store.transaction(async () => {
    await store.set({ session: { a: bytes(1) } });
    await store.commit();
    expect(store.hasCommitted).toBe(true);
    await store.set({ session: { a: bytes(2) } });
    throw new Error("the socket is gone");
  }, "send");
  await expect(failing).rejects.toThrow("the socket is gone");
  expect(await session(store)).toEqual([1]);
  expect(written).toHaveLength(1);
});

test("what runs on after the end of its transaction is written by itself", async () => {
  const { store, kept } = openStore();
  const ended = deferred();
  let late: Promise<void> = Promise.resolve();
  await store.transaction(async () => {
    late = ended.promise.then(() =>
      store.set({ tctoken: { a: null, b: { token: Buffer.of(1) } } }),
    );
  }, "me");
  ended.resolve();
  await late;
  expect([...kept.keys()]).toEqual(["p/tctoken/b"]);
});

test("what a ratchet is made of is not changed from outside while a transaction has it in hand", async () => {
  const { store } = openStore();
  const [began, goOn] = [deferred(), deferred()];
  const sending = store.transaction(async () => {
    await session(store);
    began.resolve();
    await goOn.promise;
    await store.set({ session: { a: bytes(5) } });
  }, "send");
  await began.promise;
  const forgetting = store.set({ session: { a: null } });
  // A mapping is looked up for several at once: it must not wait for one of them.
  await store.transaction(() => store.set({ "lid-mapping": { 1: "2" } }), "lid-mapping");
  goOn.resolve();
  await Promise.all([sending, forgetting]);
  expect(await session(store)).toEqual([]);
});

describe("reading", () => {
  test("what is known is not read again, also that there is nothing", async () => {
    const { store, read } = openStore();
    await store.set({ session: { a: bytes(1) } });
    for (const id of ["a", "b", "a", "b"]) await session(store, id);
    expect(read).toEqual(["p/session/b"]);
  });

  test("an older value that arrives late does not take the place of a newer one", async () => {
    const held = { first: deferred(), calls: 0 };
    const { store, kept } = openStore(() =>
      held.calls++ === 0 ? held.first.promise : Promise.resolve(),
    );
    kept.set("p/session/a", JSON.stringify({ type: "Buffer", data: "AQ==" }));
    const reading = session(store);
    await store.transaction(() => store.set({ session: { a: bytes(2) } }), "me");
    held.first.resolve();
    expect(await reading).toEqual([1]);
    expect(await session(store)).toEqual([2]);
  });

  test("a value is given fresh each time: whoever changes it changes nothing here", async () => {
    const { store } = openStore();
    await store.set({ "device-list": { a: ["0"] } });
    const first = await store.get("device-list", ["a"]);
    first["a"]?.push("1");
    expect((await store.get("device-list", ["a"]))["a"]).toEqual(["0"]);
  });
});

test("after a failure it refuses everything and says so: a session that can't be read is not one that is not there", async () => {
  let works = true;
  const { store, faults } = openStore(() =>
    works ? Promise.resolve() : Promise.reject(new Error("away")),
  );
  await store.set({ session: { a: bytes(1) } });
  works = false;
  const decrypting = store.transaction(async () => {
    await store.set({ session: { a: bytes(2) } });
    store.keep([item], {});
  }, "me");
  await expect(decrypting).rejects.toThrow("away");
  works = true;
  await expect(store.get("session", ["a"])).rejects.toThrow("away");
  await expect(store.set({ session: { a: bytes(3) } })).rejects.toThrow("away");
  expect(faults).toHaveLength(1);
});

test("once closed nothing is written any more, what was to be written before is, and it is nobody's fault", async () => {
  const held = deferred();
  const { store, written, faults, credentials } = openStore(() => held.promise);
  const first = store.set({ "device-list": { a: ["1"] } });
  credentials.unsaved = { "p/creds": "{}" };
  const second = store.saveCredentials();
  const closed = store.close();
  held.resolve();
  await Promise.all([first, second, closed]);
  expect(written.flatMap(({ values }) => Object.keys(values))).toEqual([
    "p/device-list/a",
    "p/creds",
  ]);
  await expect(store.set({ "device-list": { b: ["1"] } })).rejects.toThrow("has ended");
  await expect(
    store.transaction(() => store.set({ session: { a: bytes(1) } }), "me"),
  ).rejects.toThrow("has ended");
  expect([written.length, faults]).toEqual([1, []]);
});
