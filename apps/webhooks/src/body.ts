// The body of a webhook: rendered from the event alone, so that every retry carries the same bytes.
import type { DeliveredEvent } from "@thikaa/db";
import { toWireId, webhookBody } from "@thikaa/schema";

/** The exact bytes for an event to an instance. Throws when the event does not fit the published schema: that is our fault. */
export function renderBody(event: DeliveredEvent, instanceId: string): Buffer {
  // The schema also sets the order of the fields, which the database does not keep.
  const body = webhookBody.parse({
    event: event.type,
    instance_id: toWireId("instance", instanceId),
    event_id: toWireId("event", event.id),
    sequence: event.sequence,
    created_at: event.createdAt.toISOString(),
    version: 1,
    data: event.data,
  });
  return Buffer.from(JSON.stringify(body), "utf8");
}
