// The mutations: each takes one safeguard out of the code, and names the promise that then no longer holds and the test that must go red.

export interface Mutation {
  readonly name: string;
  /** What the code no longer keeps. */
  readonly promise: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The smallest tests that must fail: a file, and words of their names. */
  readonly test: string;
  readonly named?: string;
}

const sending = "packages/sending/src";
const host = "packages/connector-kit/src/host";
const telegram = "apps/channel-telegram/src";
const admin = "apps/console/server/src";
const faults = "scripts/faults/faults.test.ts";

export const mutations: readonly Mutation[] = [
  {
    name: "claim without its owner",
    promise: "only the owner of a connection claims, under its present epoch",
    file: `${sending}/claim.ts`,
    find: " AND a.worker = $1 AND a.epoch = given.epoch",
    replace: "",
    test: `${sending}/claim.test.ts`,
    named: "another epoch, another worker and a dead worker",
  },
  {
    name: "claim of a dead worker",
    promise: "a worker whose lease is over claims nothing",
    file: `${sending}/claim.ts`,
    find: " AND w.expires_at > now() FOR SHARE OF a",
    replace: " FOR SHARE OF a",
    test: `${sending}/claim.test.ts`,
    named: "another epoch, another worker and a dead worker",
  },
  {
    name: "claim that does not hold its assignment",
    promise: "a take-over comes before a claim or after it, never in between",
    file: `${sending}/claim.ts`,
    find: " AND w.expires_at > now() FOR SHARE OF a",
    replace: " AND w.expires_at > now()",
    test: `${sending}/claim.test.ts`,
    named: "take-over",
  },
  {
    name: "claim without SKIP LOCKED",
    promise: "no message is claimed twice",
    file: `${sending}/claim.ts`,
    find: " WHERE q.worker IS NULL FOR UPDATE OF q SKIP LOCKED",
    replace: "",
    test: `${sending}/claim.test.ts`,
    named: "two claims at once",
  },
  {
    name: "claim past the head of a lane",
    promise: "messages to one recipient go in the order in which they were accepted",
    file: `${sending}/lanes.ts`,
    find: "(q.worker IS NOT NULL OR q.due_at <= now() OR q.first_failed_at IS NULL OR",
    replace: "q.worker IS NULL AND (q.due_at <= now() OR",
    test: `${sending}/claim.test.ts`,
    named: "one message a recipient|holds its lane",
  },
  {
    name: "no flag at a further attempt",
    promise: "what may reach the customer twice says possible_duplicate",
    file: `${sending}/claim.ts`,
    find: "claimed.filter((row) => row.uncertain &&",
    replace: "claimed.filter((row) => false &&",
    test: `${sending}/settle.test.ts`,
    named: "flagged as a possible duplicate",
  },
  {
    name: "no flag at a late outcome",
    promise: "a late outcome beside a later attempt says possible_duplicate",
    file: `${sending}/transitions.ts`,
    find: 'duplicate: outcome.class === "sent" && row !== null',
    replace: "duplicate: false",
    test: `${sending}/transitions.test.ts`,
  },
  {
    name: "late outcomes refused",
    promise: "an outcome is evidence, whoever brings it and whenever",
    file: `${sending}/attempts.ts`,
    find: " OR (a.outcome = 'uncertain' AND given.outcome <> 'uncertain')",
    replace: "",
    test: `${sending}/settle.test.ts`,
    named: "late outcome of the old owner",
  },
  {
    name: "no recovery at a take-over",
    promise: "what a dead owner was sending is found and goes on",
    file: `${sending}/recover.ts`,
    find: "AND q.epoch < $3`",
    replace: "AND q.epoch < $3 AND false`",
    test: `${sending}/settle.test.ts`,
    named: "a take-over makes open attempts uncertain",
  },
  {
    name: "what is uncertain called failed",
    promise: "what the provider may have taken is never called failed, nor refunded",
    file: `${sending}/finish.ts`,
    find: "WHEN given.status = 'failed' AND ${hasUncertainAttempt(\"$8 AND $9\")} THEN",
    replace: "WHEN false THEN",
    test: `${sending}/settle.test.ts`,
    named: "refused after an attempt that may have been taken",
  },
  {
    name: "an Idempotency-Key that stops nobody",
    promise: "one Idempotency-Key is one message and one debit",
    file: `${sending}/accept-statement.ts`,
    find: "SELECT * FROM given WHERE key IS NULL OR id IN (SELECT message_id FROM fresh)",
    replace: "SELECT * FROM given",
    test: "apps/gateway/src/processes.test.ts",
    named: "one Idempotency-Key",
  },
  {
    name: "state writes without their fence",
    promise: "after a take-over the old owner writes nothing that belongs to the connection",
    file: "packages/db/src/connections.ts",
    find: " AND a.worker = ${worker} AND a.epoch = ${epoch} FOR SHARE)",
    replace: " AND (${worker}::uuid IS NOT NULL OR ${epoch}::bigint IS NOT NULL) FOR SHARE)",
    test: `${host}/host.test.ts`,
    named: "after a take-over the old owner",
  },
  {
    name: "a worker that never lets go",
    promise: "an owner that can't renew lets everything go before its time is over",
    file: "packages/runtime/src/worker.ts",
    find: "this.#fence = setTimeout(() => this.#loseEverything(), leftMs);",
    replace: "this.#fence = setTimeout(() => {}, leftMs);",
    test: "packages/runtime/src/worker.test.ts",
  },
  {
    name: "a worker that never doubts its lease",
    promise:
      "an owner that slept knows by its own clock that its time is over, before any timer tells",
    file: "packages/runtime/src/worker.ts",
    find: "performance.now() - this.#renewedAt < this.#ttlMs * (1 - marginShare)\n",
    replace: "this.#renewedAt > 0\n",
    test: "packages/runtime/src/asleep.test.ts",
  },
  {
    name: "a lease that may be taken while it lasts",
    promise: "each key has one owner",
    file: "packages/runtime/src/assignments.ts",
    find: "NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = a.worker AND w.expires_at > now())",
    replace: "true",
    test: "packages/runtime/src/worker.test.ts",
  },
  {
    name: "no look each second for what is due",
    promise: "a lost ring costs a second, and a retry comes when it is due",
    file: `${host}/connections.ts`,
    find: "everyMs: 1_000,",
    replace: "everyMs: 3_600_000,",
    test: `${telegram}/faults.test.ts`,
    named: "told to wait delays no other",
  },
  {
    name: "no look each second for inbound items",
    promise: "without NATS what comes in is finished a second later",
    file: "apps/inbox/src/inbound/inbound.ts",
    find: "everyMs: 1_000,",
    replace: "everyMs: 3_600_000,",
    test: faults,
    named: "with NATS stopped",
  },
  {
    name: "no sweep of the sequencer",
    promise: "without NATS events are numbered a second later",
    file: "apps/inbox/src/sequencer/sequencer.ts",
    find: "const all = now >= sweepAt;",
    replace: "const all = sweepAt === 0;",
    test: faults,
    named: "with NATS stopped",
  },
  {
    name: "no poll of the webhooks' reader",
    promise: "without NATS events are delivered a second later",
    file: "apps/webhooks/src/reader.ts",
    find: "if (performance.now() - this.#polledAt >= pollMs) {",
    replace: "if (this.#polledAt === Number.NEGATIVE_INFINITY) {",
    test: faults,
    named: "with NATS stopped",
  },
  {
    name: "a poll confirmed before its updates are committed",
    promise: "a provider's message is acknowledged only after its row is committed",
    file: `${host}/polling.ts`,
    find: "(await commit(items, signal, options))",
    replace: "(void commit(items, signal, options), true)",
    test: `${telegram}/commit-before-ack.test.ts`,
    named: "a poll is followed",
  },
  {
    name: "a post answered before its update is committed",
    promise: "a webhook is answered 200 only after its row is committed",
    file: `${host}/webhooks.ts`,
    find: "await storeRouted(",
    replace: "void storeRouted(",
    test: `${telegram}/commit-before-ack.test.ts`,
    named: "a post is answered",
  },
  {
    name: "inbound without its keys",
    promise: "a repeat of the provider is one message",
    file: "packages/db/src/inbound.ts",
    find: "SELECT $1, $2, key, thread, shard, raw, converted FROM item JOIN fresh USING (key) ORDER BY n RETURNING key`",
    replace:
      "SELECT $1, $2, key, thread, shard, raw, converted FROM item ORDER BY n RETURNING key`",
    test: `${host}/host.test.ts`,
    named: "a repeat changes nothing",
  },
  {
    name: "pairing shown without its owner",
    promise: "only the owner of a connection, under its present epoch, shows a code",
    file: "packages/db/src/pairings.ts",
    find: 'WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")} AND p.connection_id = c.id AND p.id = $4',
    replace: "WHERE c.id = $1 AND $2 = $2 AND $3 = $3 AND p.connection_id = c.id AND p.id = $4",
    test: `${host}/pairing.test.ts`,
    named: "who no longer owns",
  },
  {
    name: "pairing of before",
    promise: "what ended before is not the end of what is asked for now",
    file: "packages/db/src/pairings.ts",
    find: "CASE WHEN p.id IS NOT NULL AND c.state = 'attention' THEN 'connecting' ELSE c.state END",
    replace: "c.state",
    test: `${admin}/admin/pairing.test.ts`,
    named: "codes are renewed",
  },
  {
    name: "pairing code of a dead attempt",
    promise: "a code that nobody answers to any more is not shown on",
    file: `${host}/pairing.ts`,
    find: "end(options, asked, fault) : display.clear());",
    replace: "end(options, asked, fault) : undefined);",
    test: `${host}/pairing.test.ts`,
    named: "a passing fault",
  },
  {
    name: "pairing by a used link",
    promise: "a link that linked a phone shows no code again",
    file: `${admin}/pair-page/routes.ts`,
    find: "link?.used === true && shows !== undefined ? null : pairing",
    replace: "shows === undefined ? pairing : pairing",
    test: `${admin}/admin/pairing.test.ts`,
    named: "used up never shows",
  },
  {
    name: "no patience after a sleep",
    promise: "an answer that came while the process slept is read",
    file: `${telegram}/platform/patience.ts`,
    find: "this.#timer = setTimeout(() => this.#finish(), lastMs);",
    replace: "this.#finish();",
    test: `${telegram}/platform/patience.test.ts`,
  },
];
