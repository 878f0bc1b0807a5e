// Settings and loops: every fault at once, in words for the operator; a loop works when rung, never twice at once, and waits after failures.
import { deferred, waitFor } from "@thikaa/testkit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { startLoop } from "./loop.ts";
import { commonSettings, flag, parseSettings, port, SettingsError } from "./settings.ts";

const good = { DATABASE_URL: "postgresql://x", NATS_URL: "nats://x", THIKAA_MASTER_KEY: "k1:x" };

describe("settings", () => {
  test("what is not set has its default, and what is empty is not set", () => {
    expect(
      parseSettings(commonSettings, { ...good, PORT: "", HOST: "", LOG_LEVEL: "" }),
    ).toMatchObject({
      PORT: 3000,
      HOST: "0.0.0.0",
      LOG_LEVEL: "info",
      THIKAA_ENV: "development",
      THIKAA_NAMESPACE: "thikaa",
    });
    expect(
      parseSettings(commonSettings, { ...good, PORT: "8080", SOMETHING_ELSE: "1" }),
    ).toMatchObject({ PORT: 8080 });
  });

  test("every fault is listed, each by its setting's name, and no value is repeated", () => {
    const wrong = {
      THIKAA_ENV: "prod",
      NATS_URL: "nats://canary@x",
      PORT: "canary",
      LOG_LEVEL: "loud",
      PUBLIC_URL: "canary",
      THIKAA_NAMESPACE: "a.b",
    };
    const read = () => parseSettings(commonSettings, wrong);
    expect(read).toThrow(SettingsError);
    const text = messageOf(read);
    for (const name of [
      "DATABASE_URL",
      "THIKAA_MASTER_KEY",
      "THIKAA_ENV",
      "PORT",
      "LOG_LEVEL",
      "PUBLIC_URL",
      "THIKAA_NAMESPACE",
    ])
      expect(text).toMatch(new RegExp(`^  - ${name}: \\S`, "m"));
    expect(text).not.toContain("canary");
    expect(text).not.toContain("NATS_URL");
  });

  test("flags and ports", () => {
    const schema = z.object({ A: flag, P: port });
    expect(parseSettings(schema, { A: "1", P: "0" })).toEqual({ A: true, P: 0 });
    expect(parseSettings(schema, { A: "false", P: "65535" })).toEqual({ A: false, P: 65_535 });
    for (const wrong of [
      { A: "yes", P: "1" },
      { A: "1", P: "65536" },
      { A: "1", P: "1.5" },
      { A: "1", P: "-1" },
    ])
      expect(() => parseSettings(schema, wrong)).toThrow(SettingsError);
  });
});

const untold = { failed() {}, passed() {} };

describe("a loop", () => {
  test("works once at once, when rung, and as often as it says there is more, never twice at the same time", async () => {
    let [running, most, rounds, more] = [0, 0, 0, 3];
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      rounds += 1;
      return more-- > 0;
    };
    const loop = startLoop({ work, everyMs: 60_000, trouble: untold });
    await waitFor(() => rounds === 4, { what: "the first rounds" });
    for (let ring = 0; ring < 100; ring++) loop.ring();
    await waitFor(() => rounds === 5, { what: "one round for all rings" });
    await loop.stop();
    expect([most, rounds]).toEqual([1, 5]);
  });

  test("a ring while it works makes it work again", async () => {
    const gate = deferred();
    let rounds = 0;
    const loop = startLoop({
      work: async () => (++rounds === 1 && (await gate.promise), false),
      everyMs: 60_000,
      trouble: untold,
    });
    await waitFor(() => rounds === 1, { what: "the first round" });
    loop.ring();
    gate.resolve();
    await waitFor(() => rounds === 2, { what: "another round" });
    await loop.stop();
  });

  test("works without a ring after its longest wait", async () => {
    let rounds = 0;
    const loop = startLoop({
      work: () => Promise.resolve(++rounds < 0),
      everyMs: 20,
      trouble: untold,
    });
    await waitFor(() => rounds >= 4, { what: "rounds by time" });
    await loop.stop();
  });

  test("waits longer after each failure in a row, however often it is rung, and goes on", async () => {
    const at: number[] = [];
    const errors: unknown[] = [];
    const work = () => {
      at.push(performance.now());
      return at.length <= 3 ? Promise.reject(new Error("away")) : Promise.resolve(false);
    };
    const loop = startLoop({
      work,
      everyMs: 60_000,
      trouble: { failed: (error) => errors.push(error), passed() {} },
    });
    const ringing = setInterval(() => loop.ring(), 5);
    await waitFor(() => at.length >= 4, { what: "the loop to go on" });
    clearInterval(ringing);
    await loop.stop();
    expect(errors).toHaveLength(3);
    for (const [index, least] of [95, 195, 395].entries())
      expect((at[index + 1] ?? 0) - (at[index] ?? 0)).toBeGreaterThan(least);
  });

  test("stops after the work in flight, also in the middle of a wait after a failure", async () => {
    const gate = deferred();
    let finished = false;
    const working = startLoop({
      work: () => gate.promise.then(() => ((finished = true), false)),
      everyMs: 60_000,
      trouble: untold,
    });
    const stopped = working.stop();
    gate.resolve();
    await stopped;
    expect(finished).toBe(true);
    let failures = 0;
    const failing = startLoop({
      work: () => Promise.reject(new Error("away")),
      everyMs: 60_000,
      trouble: { failed: () => (failures += 1), passed() {} },
    });
    await waitFor(() => failures === 4, { what: "failures" });
    const begun = performance.now();
    await failing.stop();
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "";
}
