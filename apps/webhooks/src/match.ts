// Who gets an event: pure, so that the rules can be read and tested alone.
import type { EventHead, Subscription } from "@thikaa/db";

/** Whether an event goes to an endpoint. */
export function wants(subscription: Subscription, event: EventHead): boolean {
  if (
    !subscription.active ||
    !subscription.events.includes(event.type) ||
    event.sequence <= subscription.startsAfter
  )
    return false;
  if (event.type === "message.received" || event.type === "message.updated")
    return event.channel !== null && subscription.channels.includes(event.channel);
  // What became of a message concerns the key that sent it and no other.
  return event.instanceId !== null && event.instanceId === subscription.instanceId;
}
