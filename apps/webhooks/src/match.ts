// Who gets an event: pure, so that the rules can be read and tested alone.
import type { EventHead, Subscription } from "@thikaa/db";

/** Whether an event goes to an open endpoint. */
export function wants(subscription: Subscription, event: EventHead): boolean {
  const { events, startsAfter, channels, instanceId } = subscription;
  if (!events.includes(event.type) || startsAfter === null || event.sequence <= startsAfter)
    return false;
  // What became of a message concerns the key that sent it and no other; one that no key sent concerns them all.
  if (event.instanceId !== null) return event.instanceId === instanceId;
  // What is of no channel concerns the whole store.
  return event.channel === null || channels.includes(event.channel);
}
