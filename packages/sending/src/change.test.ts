// Commands in the queue: made twice they have done the same as once, whatever the channel reports; and one at a time for a message.
import { fromWireId } from "@thikaa/schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BegunAttempt } from "./claim-types.ts";
import { acceptChange } from "./change.ts";
import type { Change } from "./change.ts";
import { findChangeTarget } from "./change-target.ts";
import { failed, openLane, sent } from "./fixtures/lane.ts";
import type { Lane } from "./fixtures/lane.ts";
import { recoverClaims } from "./recover.ts";
import { settle } from "./settle.ts";

let lane: Lane;

beforeEach(async () => {
  lane = await openLane("sending_change");
  await lane.database.query({
    text: `INSERT INTO channel_descriptions (channel, description) VALUES ('tg', '{"capabilities":{"receipts":"read"}}')`,
  });
});

afterEach(() => lane.close());

const changes: readonly Change[] = [
  { kind: "edit", text: "new" },
  { kind: "delete" },
  { kind: "react", emoji: "👍" },
];

/** A command about a message that was sent; its id. */
async function command(change: Change): Promise<string> {
  const messageId = await lane.accept();
  for (const attempt of await lane.claim()) await end(attempt, sent("51"));
  const target = await findChangeTarget(lane.database, { ...lane, messageId }, change.kind);
  if (target === null) throw new Error("The message was not found.");
  const result = await acceptChange(lane, { target, change, idempotency: null });
  const answer = "answer" in result ? result.answer : null;
  return fromWireId("message", answer?.message_id ?? "") ?? "";
}

async function begin(): Promise<BegunAttempt> {
  const [attempt] = await lane.claim();
  if (attempt === undefined) throw new Error("Nothing was claimed.");
  return attempt;
}

function end(attempt: BegunAttempt, outcome: Parameters<typeof settle>[1][number]["outcome"]) {
  return settle(lane.database, [{ attempt, outcome }]);
}

const done = { class: "sent", providerMessageId: null } as const;

test.each(changes)(
  "$kind: final once it is sent, though the channel reports receipts; after an uncertain try it is no duplicate",
  async (change) => {
    const id = await command(change);
    await end(await begin(), failed("uncertain"));
    await lane.shift(id, "due_at", "-3 hours");
    await end(await begin(), done);
    expect(await lane.message(id)).toMatchObject({
      status: "sent",
      final: true,
      possible_duplicate: false,
    });
  },
);

test.each(changes)("$kind: two owners that both made it have made no duplicate", async (change) => {
  const id = await command(change);
  const old = await begin();
  const { epoch } = await lane.takeOver();
  const { storeId, connectionId } = lane;
  await recoverClaims(lane.database, { storeId, connectionId, epoch });
  await lane.shift(id, "due_at", "-3 hours");
  const second = await begin();
  await end(old, done);
  await end(second, done);
  expect(await lane.message(id)).toMatchObject({
    status: "sent",
    final: true,
    possible_duplicate: false,
  });
});
