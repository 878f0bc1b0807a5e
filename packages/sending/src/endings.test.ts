// Endings: expiry, cancelling, and money: the balance equals the ledger's sum after whatever happened.
import type { Outcome } from "@thikaa/schema";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cancel } from "./cancel.ts";
import type { BegunAttempt } from "./claim-types.ts";
import { expire } from "./expire.ts";
import { failed, openLane, sent, throttled } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { recoverClaims } from "./recover.ts";
import { settle } from "./settle.ts";

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("sending_endings");
});

afterEach(() => lane.close());

const cancelOne = (messageId: string) =>
  cancel(lane, { storeId: lane.storeId, instanceId: lane.instanceId, messageId });

async function begin(): Promise<BegunAttempt> {
  const [attempt] = await lane.claim();
  if (attempt === undefined) throw new Error("Nothing was claimed.");
  return attempt;
}

describe("expiry", () => {
  test("a message that never had its turn fails with the reason, and its money", async () => {
    const [late, early] = [await lane.accept(), await lane.accept({ to: "2" })];
    await lane.shift(late, "deadline_at", "-2 days");
    expect(await expire(lane.database, 10)).toEqual({ expired: 1, eventsFor: [lane.storeId] });
    expect(await lane.message(late)).toMatchObject({
      status: "failed",
      final: true,
      refunded: true,
      reason: { code: "expired" },
    });
    expect(await lane.message(early)).toMatchObject({ status: "queued", final: false });
    expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
    expect(await expire(lane.database, 10)).toEqual({ expired: 0, eventsFor: [] });
  });

  test("the reason says what last stood in the way", async () => {
    const id = await lane.accept();
    await settle(lane.database, [{ attempt: await begin(), outcome: failed("unavailable") }]);
    await lane.shift(id, "deadline_at", "-2 days");
    await expire(lane.database, 10);
    expect((await lane.message(id)).reason?.message).toContain("It was unavailable.");
  });

  test("what the provider may have taken ends uncertain, and is not refunded", async () => {
    const id = await lane.accept();
    await settle(lane.database, [{ attempt: await begin(), outcome: failed("uncertain") }]);
    await lane.shift(id, "deadline_at", "-2 days");
    await expire(lane.database, 10);
    expect(await lane.message(id)).toMatchObject({
      status: "uncertain",
      final: true,
      refunded: false,
    });
    expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
  });

  test("what a connection holds for a person is final at its deadline, still uncertain", async () => {
    await lane.database.query({
      text: `UPDATE connections SET settings = '{"on_uncertain": "hold"}'`,
    });
    const id = await lane.accept();
    await settle(lane.database, [{ attempt: await begin(), outcome: failed("uncertain") }]);
    await lane.database.query({ text: "UPDATE connections SET settings = '{}'" });
    expect(await lane.message(id)).toMatchObject({ status: "uncertain", final: false });
    await expire(lane.database, 10);
    expect(await lane.message(id)).toMatchObject({ status: "uncertain", final: false });
    await lane.database.query({
      text: "UPDATE held_messages SET deadline_at = now() - interval '1 second' WHERE message_id = $1",
      values: [id],
    });
    expect((await expire(lane.database, 10)).expired).toBe(1);
    expect(await lane.message(id)).toMatchObject({
      status: "uncertain",
      final: true,
      refunded: false,
    });
  });

  test("what is just being sent is left to its outcome", async () => {
    const id = await lane.accept();
    const attempt = await begin();
    await lane.shift(id, "deadline_at", "-2 days");
    expect(await expire(lane.database, 10)).toMatchObject({ expired: 0 });
    await settle(lane.database, [{ attempt, outcome: failed("unavailable") }]);
    expect(await lane.message(id)).toMatchObject({
      status: "failed",
      reason: { code: "expired" },
      refunded: true,
    });
  });

  test("no more than asked for at once", async () => {
    for (let index = 0; index < 3; index++)
      await lane.shift(await lane.accept({ to: String(index) }), "deadline_at", "-2 days");
    expect([await expire(lane.database, 2), await expire(lane.database, 2)]).toMatchObject([
      { expired: 2 },
      { expired: 1 },
    ]);
  });
});

describe("cancelling", () => {
  test("a waiting message is taken back once, with its money once", async () => {
    const id = await lane.accept();
    expect(await cancelOne(id)).toEqual({
      kind: "decided",
      status: "cancelled",
      final: true,
      refunded: true,
    });
    expect(await cancelOne(id)).toEqual({
      kind: "decided",
      status: "cancelled",
      final: true,
      refunded: true,
    });
    expect(await lane.money()).toEqual({ balance: 1000, ledger: 1000 });
    expect(await lane.claim()).toEqual([]);
    expect(await lane.statuses(id)).toEqual(["queued", "cancelled"]);
  });

  test("a scheduled one too", async () => {
    const id = await lane.accept({ sendAt: new Date(Date.now() + 60_000) });
    expect(await cancelOne(id)).toMatchObject({ status: "cancelled", refunded: true });
  });

  test("one that is being sent, was sent, or may have been taken, keeps its status", async () => {
    const id = await lane.accept();
    const attempt = await begin();
    expect(await cancelOne(id)).toMatchObject({ status: "sending", final: false });
    await settle(lane.database, [{ attempt, outcome: failed("uncertain") }]);
    expect(await cancelOne(id)).toMatchObject({ status: "queued", refunded: false });
    await settle(lane.database, [{ attempt, outcome: sent("1") }]);
    expect(await cancelOne(id)).toMatchObject({ status: "sent", final: true, refunded: false });
  });

  test("another instance's and another store's message is not found", async () => {
    const id = await lane.accept();
    expect(
      await cancel(lane, { storeId: lane.storeId, instanceId: lane.storeId, messageId: id }),
    ).toEqual({ kind: "not_found" });
    expect(
      await cancel(lane, { storeId: lane.instanceId, instanceId: lane.instanceId, messageId: id }),
    ).toEqual({ kind: "not_found" });
    expect(await lane.message(id)).toMatchObject({ status: "queued" });
  });

  test("of a cancel and a claim at once, one wins: cancelled and never sent, or sent and not cancelled", async () => {
    const won = { cancel: 0, claim: 0 };
    for (let round = 0; round < 30; round++) {
      const id = await lane.accept();
      const [result, begun] = await Promise.all([cancelOne(id), lane.claim()]);
      if (result.kind !== "decided") throw new Error("It was not found.");
      const isCancelled = result.status === "cancelled";
      expect(begun.length).toBe(isCancelled ? 0 : 1);
      won[isCancelled ? "cancel" : "claim"] += 1;
      await settle(
        lane.database,
        begun.map((attempt) => ({ attempt, outcome: sent(attempt.attemptId) })),
      );
      expect((await lane.message(id)).status).toBe(isCancelled ? "cancelled" : "sent");
    }
    expect(won.cancel + won.claim).toBe(30);
    expect(await lane.money()).toEqual({ balance: 1000 - won.claim, ledger: 1000 - won.claim });
  });
});

describe("money", () => {
  test("a message is refused when the balance is one millionth short", async () => {
    await lane.database.query({ text: "UPDATE balances SET balance_micro = 999999" });
    expect(await lane.tryAccept()).toEqual({ kind: "insufficient_balance" });
    expect(await lane.tryAccept({ priceMicro: 999_999 })).toMatchObject({ kind: "accepted" });
    expect(await lane.tryAccept({ priceMicro: 0 })).toMatchObject({ kind: "accepted" });
  });

  test("of many messages at once exactly as many are accepted as the balance pays", async () => {
    await lane.database.query({
      text: "WITH b AS (UPDATE balances SET balance_micro = 7000000) UPDATE ledger SET amount_micro = 7000000",
    });
    const results = await Promise.all(Array.from({ length: 20 }, () => lane.tryAccept()));
    expect(results.filter(({ kind }) => kind === "accepted")).toHaveLength(7);
    expect(await lane.money()).toEqual({ balance: 0, ledger: 0 });
  });

  test("a value that the database refuses fails its own message alone", async () => {
    const settled = await Promise.allSettled([
      lane.tryAccept(),
      lane.tryAccept({ connectionId: "no uuid" }),
      lane.tryAccept({ to: "2" }),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await lane.money()).toEqual({ balance: 998, ledger: 998 });
  });

  test(
    "after each of 200 random steps the balance is the ledger's sum (seed 20261122)",
    { timeout: 60_000 },
    async () => {
      const random = randomFrom(20_261_122);
      const pick = <Item>(items: readonly Item[]): Item | undefined =>
        items[Math.floor(random() * items.length)];
      const accepted: string[] = [];
      let begun: BegunAttempt[] = [];
      const outcome = (): Outcome =>
        pick([
          sent(`p${random()}`),
          sent(`p${random()}`),
          throttled(0),
          failed("unavailable"),
          failed("uncertain"),
          failed("rejected"),
          failed("poison"),
          failed("unauthorized"),
        ]) ?? sent("?");
      const steps: readonly (() => Promise<unknown>)[] = [
        async () =>
          accepted.push(
            await lane.accept({
              to: String(Math.floor(random() * 5)),
              content: { text: pick(["one", "one\ntwo"]) ?? "", media: null },
            }),
          ),
        async () =>
          accepted.push(
            await lane.accept({
              priceMicro: Math.floor(random() * 3_000_000),
              to: String(Math.floor(random() * 5)),
            }),
          ),
        async () =>
          lane.database.query({
            text: "UPDATE send_queue SET due_at = now() WHERE worker IS NULL",
          }),
        async () => (begun = [...begun, ...(await lane.claim())]),
        async () => {
          const attempt = pick(begun);
          if (attempt !== undefined)
            begun.push(...(await settle(lane.database, [{ attempt, outcome: outcome() }])).next);
        },
        async () =>
          begun.push(
            ...(
              await settle(
                lane.database,
                begun.map((attempt) => ({ attempt, outcome: outcome() })),
              )
            ).next,
          ),
        async () => cancelOne(pick(accepted) ?? lane.storeId),
        async () => lane.shift(pick(accepted) ?? lane.storeId, "deadline_at", "-2 days"),
        async () => expire(lane.database, 3),
        async () =>
          recoverClaims(lane.database, {
            storeId: lane.storeId,
            connectionId: lane.connectionId,
            epoch: (await lane.takeOver()).epoch,
          }),
      ];
      for (let step = 0; step < 200; step++) {
        await pick(steps)?.();
        const { balance, ledger } = await lane.money();
        expect(balance, `after step ${step}`).toBeCloseTo(ledger, 6);
      }
      const { rows } = await lane.database.query<{ wrong: number; finals: number }>({
        text: `SELECT count(*) FILTER (WHERE m.refunded AND (m.status NOT IN ('failed', 'cancelled') OR EXISTS (SELECT 1 FROM parts p WHERE p.message_id = m.id AND p.status = 'sent')))::int AS wrong,
               count(DISTINCT m.status) FILTER (WHERE m.final)::int AS finals FROM messages m`,
      });
      expect(rows[0]?.finals).toBeGreaterThanOrEqual(3);
      expect(rows[0]?.wrong).toBe(0);
    },
  );
});

/** Numbers in [0, 1) that a seed decides (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
