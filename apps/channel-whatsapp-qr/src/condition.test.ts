// A connection never says `connected` while it is not, whatever passes meanwhile; and a process takes on no more than it can.
import type { ConnectionState } from "@thikaa/schema";
import { deferred, waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { Condition } from "./condition.ts";
import { ProcessLimits } from "./process-limits.ts";

const reason = { code: "one", message: "One." };

function open() {
  const said: ConnectionState[] = [];
  return { said, condition: new Condition({ report: (state) => void said.push(state) }) };
}

test("a limit that ends while the session is away does not make it connected", () => {
  const { said, condition } = open();
  condition.limited(reason);
  condition.down("recovering", reason);
  condition.limited(null);
  expect(said).toEqual(["limited", "recovering", "recovering"]);
  condition.up();
  expect(said.at(-1)).toBe("connected");
});

test("a session that comes back is limited as it was before", () => {
  const { said, condition } = open();
  condition.limited(reason);
  condition.down("recovering", reason);
  condition.up();
  expect(said.at(-1)).toBe("limited");
});

test("a session that was open all along says nothing new", () => {
  const { said, condition } = open();
  condition.up();
  expect(said).toEqual([]);
});

test("a process that runs as many sessions as it can refuses the next one until one is given back", () => {
  const limits = new ProcessLimits({ sessions: 1, openingAtOnce: 1 });
  const leave = limits.enter();
  expect(() => limits.enter()).toThrow("as many phones as they can");
  leave();
  leave();
  limits.enter();
  expect(limits.sessions).toBe(1);
});

test("only so many sessions open at once; a failure makes room as well", async () => {
  const limits = new ProcessLimits({ sessions: 9, openingAtOnce: 2 });
  const { signal } = new AbortController();
  const gates = [deferred(), deferred(), deferred()];
  let most = 0;
  const opening = gates.map((gate, n) =>
    limits.opened(async () => {
      most = Math.max(most, limits.opening);
      await gate.promise;
      if (n === 0) throw new Error("refused");
    }, signal),
  );
  const ended = Promise.allSettled(opening);
  await waitFor(() => limits.opening === 2, { what: "two to open" });
  for (const gate of gates) gate.resolve();
  expect((await ended).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(most).toBe(2);
});
