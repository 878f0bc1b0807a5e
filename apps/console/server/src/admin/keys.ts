// Keys: instances with their channels, limits and webhook. The key and its webhook secret are shown once, when they are made.
import { changeInstance, createInstance, listInstances } from "@thikaa/db";
import type { Instance, InstanceChange, NewEndpoint } from "@thikaa/db";
import { ApiError, channelCode, eventType, limits, newId, toWireId } from "@thikaa/schema";
import type { EventType } from "@thikaa/schema";
import { keyHint, newApiKey, newWebhookSecret, places } from "@thikaa/vault";
import { z } from "zod";
import { invalid, validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { instanceOf, storeOf } from "./finding.ts";
import { ok } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";
import { webhookFault } from "./webhook-url.ts";

const unique = <Value>(values: Value[]) => [...new Set(values)];
const name = z.string().trim().min(1, "must not be empty").max(200);
const channels = z.array(channelCode).min(1, "must name at least one channel").transform(unique);
const events = z.array(eventType).min(1, "must name at least one event").transform(unique);
const rate = z.int("must be a whole number").min(1, "must be at least 1").max(100_000);
const expiresAt = z.iso
  .datetime({ offset: true, error: "must be a time like 2027-01-31T00:00:00Z" })
  .refine((text) => Date.parse(text) > Date.now(), "must lie in the future");
/** A message whose file comes late is told twice: without the second event the file would be lost. */
const defaultEvents: readonly EventType[] = ["message.received", "message.updated"];

const createBody = z.strictObject({
  name,
  channels,
  webhook: z.string().max(2048).nullish(),
  events: events.optional(),
  rate: rate.default(limits.ratePerMinute),
  expires_at: expiresAt.nullish(),
});

const changeBody = z.strictObject({
  name: name.optional(),
  channels: channels.optional(),
  webhook: z.string().max(2048).nullable().optional(),
  events: events.optional(),
  rate: rate.optional(),
  expires_at: expiresAt.nullable().optional(),
});

/** A key as it may be shown after it was made: without secrets. */
function keyView(instance: Instance): Record<string, unknown> {
  return {
    instance_id: toWireId("instance", instance.id),
    store: instance.store,
    name: instance.name,
    status:
      instance.expires_at !== null &&
      instance.expires_at.getTime() <= Date.now() &&
      instance.status === "active"
        ? "expired"
        : instance.status,
    key: `${instance.key_prefix}…${instance.key_last4}`,
    channels: instance.channels,
    rate: instance.rate_limit,
    webhook: instance.webhook,
    events: instance.webhook === null ? [] : (instance.events ?? []),
    expires_at: instance.expires_at?.toISOString() ?? null,
    created_at: instance.created_at.toISOString(),
  };
}

async function create(house: House, call: Call): Promise<Answer> {
  const body = validate(createBody, call.body);
  const store = await storeOf(house, call.parameters["slug"]);
  const endpoint =
    body.webhook === null || body.webhook === undefined
      ? null
      : newEndpoint(house, body.webhook, body.events);
  const apiKey = newApiKey();
  const hint = keyHint(apiKey);
  const id = newId();
  await createInstance(house.database, {
    id,
    storeId: store.id,
    name: body.name,
    channels: body.channels,
    keyHash: house.vault.hashApiKey(apiKey),
    keyPrefix: hint.prefix,
    keyLast4: hint.last4,
    rateLimit: body.rate,
    expiresAt: body.expires_at == null ? null : new Date(body.expires_at),
    endpoint: endpoint?.row ?? null,
  });
  ringKey(house, id);
  return ok(
    {
      instance_id: toWireId("instance", id),
      api_key: apiKey,
      webhook_secret: endpoint?.secret ?? null,
      key: keyView(await instanceOf(house, toWireId("instance", id))),
    },
    201,
  );
}

/** A webhook that was not there before gets a secret of its own, shown in this answer alone; a moved one keeps its secret. */
async function change(house: House, call: Call): Promise<Answer> {
  const body = validate(changeBody, call.body);
  const instance = await instanceOf(house, call.parameters["id"]);
  if (body.events !== undefined && body.webhook == null && instance.webhook === null) {
    throw invalid([
      { path: "events", message: "This key has no webhook; give 'webhook' with the events." },
    ]);
  }
  const created =
    typeof body.webhook === "string" && instance.webhook === null
      ? newEndpoint(house, body.webhook, body.events)
      : null;
  if (typeof body.webhook === "string" && created === null) checkWebhook(house, body.webhook);
  await apply(house, instance, {
    name: body.name,
    channels: body.channels,
    rateLimit: body.rate,
    expiresAt:
      body.expires_at === undefined
        ? undefined
        : body.expires_at === null
          ? null
          : new Date(body.expires_at),
    events: body.events,
    webhook:
      typeof body.webhook === "string" ? (created?.row ?? { url: body.webhook }) : body.webhook,
  });
  const key = keyView(await instanceOf(house, call.parameters["id"]));
  return ok(created === null ? { key } : { webhook_secret: created.secret, key });
}

function setStatus(status: Instance["status"]) {
  return async (house: House, call: Call): Promise<Answer> => {
    const instance = await instanceOf(house, call.parameters["id"]);
    if (!(status === "revoked" && instance.status === "revoked"))
      await apply(house, instance, { status });
    return ok({ key: keyView(await instanceOf(house, call.parameters["id"])) });
  };
}

async function apply(house: House, instance: Instance, change: InstanceChange): Promise<void> {
  const changed = await changeInstance(house.database, instance, change);
  if (!changed)
    throw new ApiError("conflict", { message: "This key was revoked, for good. Make a new one." });
  ringKey(house, instance.id);
}

function newEndpoint(
  house: House,
  url: string,
  events: readonly EventType[] = defaultEvents,
): { row: NewEndpoint; secret: string } {
  checkWebhook(house, url);
  const id = newId();
  const secret = newWebhookSecret();
  return {
    secret,
    row: { id, url, events, secretSealed: house.vault.seal(secret, places.endpointSecret(id)) },
  };
}

function checkWebhook(house: House, url: string): void {
  const fault = webhookFault(url, house.config);
  if (fault !== null) throw invalid([{ path: "webhook", message: fault }]);
}

function ringKey(house: House, id: string): void {
  house.bus.ring({ ring: "key", to: [id] }, { instance_id: id });
}

export const keyRoutes: readonly Route[] = [
  { method: "POST", path: "/stores/:slug/keys", handle: create },
  {
    method: "GET",
    path: "/stores/:slug/keys",
    handle: async (house, call) =>
      ok({
        keys: (
          await listInstances(house.database, (await storeOf(house, call.parameters["slug"])).id)
        ).map(keyView),
      }),
  },
  {
    method: "GET",
    path: "/keys/:id",
    handle: async (house, call) =>
      ok({ key: keyView(await instanceOf(house, call.parameters["id"])) }),
  },
  { method: "PATCH", path: "/keys/:id", handle: change },
  { method: "POST", path: "/keys/:id/revoke", handle: setStatus("revoked") },
  { method: "POST", path: "/keys/:id/disable", handle: setStatus("disabled") },
  { method: "POST", path: "/keys/:id/enable", handle: setStatus("active") },
];
