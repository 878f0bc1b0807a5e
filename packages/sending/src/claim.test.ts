// Claiming: fenced by the owner's epoch, one message a recipient, in order, at most as many as asked for.
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "@thikaa/testkit";
import { failed, openLane, planLines, sent, throttled } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { claim } from "./claim.ts";
import { findLanes } from "./lanes.ts";
import { recoverClaims, releaseUnbegun } from "./recover.ts";
import { settle } from "./settle.ts";

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("sending_claim");
});

afterEach(() => lane.close());

const text = (words: string) => ({ content: { text: words, media: null } });
const ids = (begun: readonly { messageId: string }[]) => begun.map(({ messageId }) => messageId);

test("a claim begins an attempt that is committed, with the message's first part", async () => {
  const id = await lane.accept(text("one\ntwo"));
  const [begun] = await lane.claim();
  expect(begun).toMatchObject({
    messageId: id,
    channel: "tg",
    to: "700000001",
    part: { n: 1, payload: { text: "one" } },
    partCount: 2,
  });
  expect(await lane.attempts(id)).toEqual([
    { number: 1, part: 1, outcome: null, provider_message_id: null },
  ]);
  expect(await lane.message(id)).toMatchObject({
    status: "sending",
    final: false,
  });
  expect(await lane.claim()).toEqual([]);
});

test("another epoch, another worker and a dead worker claim nothing", async () => {
  const id = await lane.accept();
  const { worker, epoch } = lane.owner;
  expect(await lane.claim({ epoch: epoch - 1 })).toEqual([]);
  expect(await lane.claim({ epoch: epoch + 1 })).toEqual([]);
  expect(await lane.claim({ worker: lane.storeId })).toEqual([]);
  await lane.database.query({
    text: "UPDATE workers SET expires_at = now() - interval '1 second' WHERE id = $1",
    values: [worker],
  });
  expect(await lane.claim()).toEqual([]);
  expect(await lane.queued(id)).toMatchObject({ attempts: 0, claimed: false });
});

test("a take-over waits for a claim that has begun, and then finds what it left open", async () => {
  const id = await lane.accept();
  const blocked = Promise.withResolvers<void>();
  const blocker = lane.database.transaction(async (transaction) => {
    await transaction.query({ text: "LOCK TABLE attempts IN SHARE MODE" });
    await blocked.promise;
  });
  try {
    const claiming = lane.claim();
    await waitFor(() => waiting(1), { what: "the claim to stand in the middle" });
    const taking = lane.takeOver();
    await waitFor(() => waiting(2), { what: "the take-over to wait", deadlineMs: 2_000 });
    blocked.resolve();
    expect(ids(await claiming)).toEqual([id]);
    const { epoch } = await taking;
    expect(
      await recoverClaims(lane.database, {
        storeId: lane.storeId,
        connectionId: lane.connectionId,
        epoch,
      }),
    ).toMatchObject({ recovered: 1 });
  } finally {
    blocked.resolve();
    await blocker;
  }
});

test("a claim that comes during a take-over waits for it, and claims nothing", async () => {
  await lane.accept();
  const old = { ...lane.owner };
  let claiming: Promise<unknown[]> | undefined;
  await lane.database.transaction(async (transaction) => {
    await transaction.query({ text: "UPDATE assignments SET epoch = epoch + 1" });
    claiming = lane.claim(old);
    await waitFor(() => waiting(1), { what: "the claim to wait" });
  });
  expect(await claiming).toEqual([]);
});

test("one message a recipient is under way, in the order of acceptance, and others don't wait for it", async () => {
  const toZainab = [await lane.accept(), await lane.accept(), await lane.accept()];
  const toAli = await lane.accept({ to: "700000002" });
  const begun = await lane.claim();
  expect(ids(begun)).toEqual([toZainab[0], toAli]);
  for (const next of [toZainab[1], toZainab[2]]) {
    await settle(
      lane.database,
      (await openAttempts(begun)).map((attempt) => ({ attempt, outcome: sent(attempt.attemptId) })),
    );
    begun.push(...(await lane.claim()));
    expect(begun.at(-1)?.messageId).toBe(next);
  }
});

test("messages of one transaction keep the order in which they came", async () => {
  const results = await Promise.all(
    // So few that they are one batch: requests that no answer separates are in no order else.
    Array.from({ length: 16 }, (_, index) => lane.tryAccept(text(String(index)))),
  );
  expect(results.map(({ kind }) => kind)).toEqual(results.map(() => "accepted"));
  const order: unknown[] = [];
  for (let begun = await lane.claim(); begun.length > 0; begun = await lane.claim()) {
    order.push(...begun.map(({ part }) => part.payload));
    await settle(
      lane.database,
      begun.map((attempt) => ({ attempt, outcome: sent(attempt.attemptId) })),
    );
  }
  expect(order).toEqual(results.map((_, index) => ({ text: String(index) })));
});

test("a message that is retried holds its lane, until it has been failing for over 5 minutes", async () => {
  const [stuck, next] = [await lane.accept(), await lane.accept()];
  const [attempt] = await lane.claim();
  if (attempt === undefined) throw new Error("Nothing was claimed.");
  await settle(lane.database, [{ attempt, outcome: failed("unavailable") }]);
  expect(await lane.claim()).toEqual([]);
  await lane.shift(stuck, "first_failed_at", "-299 seconds");
  expect(await lane.claim()).toEqual([]);
  await lane.shift(stuck, "first_failed_at", "-2 seconds");
  expect(ids(await lane.claim())).toEqual([next]);
});

test("a throttled message holds its lane however long it waits", async () => {
  const [stuck] = [await lane.accept(), await lane.accept()];
  const [attempt] = await lane.claim();
  if (attempt === undefined) throw new Error("Nothing was claimed.");
  await settle(lane.database, [{ attempt, outcome: throttled(600_000) }]);
  expect(await lane.claim()).toEqual([]);
  await lane.shift(stuck, "due_at", "-11 minutes");
  expect(ids(await lane.claim())).toEqual([stuck]);
});

test("no more are claimed than asked for", async () => {
  const all = [];
  for (let index = 0; index < 5; index++) all.push(await lane.accept({ to: String(index + 1) }));
  expect(ids(await lane.claim({ limit: 2 }))).toEqual(all.slice(0, 2));
  expect(ids(await lane.claim({ limit: 0 }))).toEqual([]);
  expect(ids(await lane.claim({ limit: 9 }))).toEqual(all.slice(2));
});

test("a scheduled message holds up nobody, waits for its time, and then goes after those before it", async () => {
  const scheduled = await lane.accept({ sendAt: new Date(Date.now() + 3_600_000) });
  const now = await lane.accept();
  expect(ids(await lane.claim())).toEqual([now]);
  await lane.shift(scheduled, "due_at", "-61 minutes");
  expect(await lane.claim()).toEqual([]);
  expect((await lane.message(scheduled)).status).toBe("scheduled");
});

test("a scheduled message is sent when its time has come", async () => {
  const scheduled = await lane.accept({ sendAt: new Date(Date.now() + 3_600_000) });
  await lane.shift(scheduled, "due_at", "-61 minutes");
  expect(ids(await lane.claim())).toEqual([scheduled]);
});

test("a message past its deadline is not claimed", async () => {
  const late = await lane.accept();
  await lane.shift(late, "deadline_at", "-2 days");
  expect(await lane.claim()).toEqual([]);
});

test("a plan that throws fails its own message, with its money back, and no other", async () => {
  const [broken, whole] = [
    await lane.accept({ ...text("broken"), to: "1" }),
    await lane.accept({ to: "2" }),
  ];
  const plan: typeof planLines = (message) => {
    if (message.content.text === "broken") throw new Error("no plan for this");
    return planLines(message);
  };
  expect(ids(await lane.claim({ plan }))).toEqual([whole]);
  expect(await lane.message(broken)).toMatchObject({
    status: "failed",
    final: true,
    refunded: true,
    reason: { code: "internal_error" },
  });
  expect(await lane.money()).toEqual({ balance: 999, ledger: 999 });
  expect(await lane.queued(broken)).toBeNull();
});

test("an empty plan is a broken one", async () => {
  const id = await lane.accept();
  expect(await lane.claim({ plan: () => [] })).toEqual([]);
  expect(await lane.message(id)).toMatchObject({
    status: "failed",
    reason: { code: "internal_error" },
  });
});

test("what a claim began whose answer was lost is given back, and what is under way is not", async () => {
  const [lost, known] = [await lane.accept({ to: "1" }), await lane.accept({ to: "2" })];
  await lane.claim();
  const { storeId, connectionId, database, owner } = lane;
  const release = () =>
    releaseUnbegun(database, { storeId, connectionId, epoch: owner.epoch, known: [known] });
  expect(await release()).toMatchObject({ recovered: 1 });
  expect(await release()).toMatchObject({ recovered: 0 });
  expect(await lane.queued(lost)).toMatchObject({ claimed: false, uncertain: false });
  expect(await lane.queued(known)).toMatchObject({ claimed: true });
  // At once: nothing speaks against the provider, which was never asked.
  expect(ids(await lane.claim())).toEqual([lost]);
  expect(await lane.message(lost)).toMatchObject({ possible_duplicate: false });
});

test("one claim serves many connections, and passes over those that are another's", async () => {
  const mine = await lane.accept();
  const other = await lane.addConnection();
  const foreign = await lane.addConnection();
  const others = await lane.accept({ connectionId: other });
  await lane.accept({ connectionId: foreign });
  const { worker, epoch } = lane.owner;
  const addresses = ["700000001"];
  const begun = await claim(lane.database, {
    worker,
    plan: planLines,
    claims: [
      { connectionId: lane.connectionId, epoch, addresses },
      { connectionId: other, epoch, addresses },
      { connectionId: foreign, epoch: epoch + 1, addresses },
    ],
  });
  expect(new Set(ids(begun))).toEqual(new Set([mine, others]));
});

test("a claim tells whether more waits in the lane", async () => {
  await lane.accept({ to: "1" });
  await lane.accept({ to: "2" });
  await lane.accept({ to: "2" });
  expect((await lane.claim()).map(({ to, more }) => [to, more])).toEqual([
    ["1", false],
    ["2", true],
  ]);
});

test("lanes are looked through page by page, each once, however many messages are in them", async () => {
  for (const to of ["1", "2", "3", "4", "5"])
    for (let index = 0; index < 3; index++) await lane.accept({ to });
  const { connectionId, database } = lane;
  const seen: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page = (await findLanes(database, [{ connectionId, after }], 2)).get(connectionId);
    seen.push(...(page?.addresses ?? []));
    after = page?.after ?? null;
  }
  expect(seen).toEqual(["1", "2", "3", "4", "5"]);
  await lane.claim({ limit: 4 });
  expect(await findLanes(database, [{ connectionId, after: "" }], 9)).toEqual(
    new Map([[connectionId, { addresses: ["5"], after: null }]]),
  );
});

test("two claims at once never take the same message", async () => {
  for (let index = 0; index < 40; index++) await lane.accept({ to: String(index + 1) });
  const claims = await Promise.all(Array.from({ length: 6 }, () => lane.claim({ limit: 10 })));
  const taken = ids(claims.flat());
  expect(new Set(taken).size).toBe(taken.length);
});

async function openAttempts<Attempt extends { attemptId: string }>(
  begun: readonly Attempt[],
): Promise<Attempt[]> {
  const { rows } = await lane.database.query<{ id: string }>({
    text: "SELECT id FROM attempts WHERE outcome IS NULL",
  });
  return begun.filter(({ attemptId }) => rows.some(({ id }) => id === attemptId));
}

/** Whether so many statements wait for a lock. */
async function waiting(count: number): Promise<boolean> {
  const { rowCount } = await lane.database.query({
    text: "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
  });
  return rowCount === count;
}
