// Who gets an event: the keys that ask for it and may see its channel; what became of a key's message, that key alone.
import type { EventHead, Subscription } from "@thikaa/db";
import { expect, test } from "vitest";
import { wants } from "./match.ts";

const subscription: Subscription = {
  endpointId: "endpoint",
  instanceId: "ours",
  events: ["message.status"],
  channels: ["tg"],
  startsAfter: 0,
};

function event(change: Partial<EventHead>): EventHead {
  return {
    id: "event",
    sequence: 1,
    type: "message.status",
    channel: "tg",
    instanceId: "ours",
    ...change,
  };
}

test.each<[string, Partial<EventHead>, boolean]>([
  ["of a message of its own", {}, true],
  ["of another key's message", { instanceId: "another" }, false],
  ["of a message that no key sent", { instanceId: null }, true],
  [
    "of such a message on a channel that it may not see",
    { instanceId: null, channel: "wa" },
    false,
  ],
  ["of a type that it did not ask for", { type: "message.received", instanceId: null }, false],
  ["from before it was there", { sequence: 0 }, false],
])("a key that asks for message.status is told %s: %j %s", (_, change, told) => {
  expect(wants(subscription, event(change))).toBe(told);
});
