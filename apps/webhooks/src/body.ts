// The body of a webhook: the event's own text in its envelope, so that every retry carries the same bytes.
import type { DeliveredEvent } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";

/** The exact bytes for an event to an instance. `data` goes out as it was written, which keeps the order of its fields. */
export function renderBody(event: DeliveredEvent, instanceId: string): Buffer {
  const head = JSON.stringify({
    event: event.type,
    instance_id: toWireId("instance", instanceId),
    event_id: toWireId("event", event.id),
    sequence: event.sequence,
    created_at: event.createdAt.toISOString(),
    version: 1,
  });
  return Buffer.from(`${head.slice(0, -1)},"data":${event.data}}`, "utf8");
}
