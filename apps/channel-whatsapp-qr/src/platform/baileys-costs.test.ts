// What was mended in Baileys because it cost too much: memory of idle sessions, and time at every frame. It does the same as before.
import { Curve, MessageRetryManager, promiseTimeout } from "@whiskeysockets/baileys";
import { expect, test } from "vitest";
import { quietLogger } from "./log.ts";

const nothing = () => undefined;
const logger = quietLogger({ debug: nothing, info: nothing, warn: nothing, error: nothing });

/** Everything of it that has taken room for entries that may come. */
function rooms(manager: MessageRetryManager): number[] {
  return Object.values(manager).flatMap((value: unknown) =>
    typeof value === "object" && value !== null ? [Number(Reflect.get(value, "max") ?? 0)] : [],
  );
}

test("a session that has sent nothing keeps no room for messages sent; one that has finds them again", () => {
  const manager = new MessageRetryManager(logger, 5);
  expect(rooms(manager).every((room) => room === 0)).toBe(true);
  manager.addRecentMessage("a", "1", { conversation: "hello" });
  manager.saveBaseKey("a.0", "1", Uint8Array.of(1));
  expect(manager.getRecentMessage("a", "1")?.message).toEqual({ conversation: "hello" });
  expect(manager.hasSameBaseKey("a.0", "1", Uint8Array.of(1))).toBe(true);
  expect(rooms(manager).filter((room) => room > 0)).toHaveLength(2);
  manager.clear();
  expect(manager.getRecentMessage("a", "1")).toBeUndefined();
});

test("a question is answered, refused or timed out, and no stack is gathered while it is asked", async () => {
  const before = Reflect.get(Error, "prepareStackTrace");
  let stacks = 0;
  Reflect.set(Error, "prepareStackTrace", () => (stacks += 1));
  const asked = promiseTimeout<number>(60_000, (resolve) => resolve(7));
  Reflect.set(Error, "prepareStackTrace", before);
  expect(stacks).toBe(0);
  expect(await asked).toBe(7);
  const refused = promiseTimeout(60_000, (_resolve, reject) => reject(new Error("no")));
  await expect(refused).rejects.toThrow("no");
  await expect(promiseTimeout(1, nothing)).rejects.toMatchObject({ output: { statusCode: 408 } });
});

test("new keys lie in room of their own", () => {
  const { private: secret, public: shown } = Curve.generateKeyPair();
  for (const key of [secret, shown]) {
    expect(key).toHaveLength(32);
    expect(key.buffer.byteLength).toBe(32);
  }
});
