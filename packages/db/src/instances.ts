// Instances as their owner manages them: an API key with its channels, limits and webhook. Secrets come in hashed or sealed.
import type { ChannelCode, EventType } from "@thikaa/schema";
import type { Database, Queryable } from "./database.ts";
import { beginEndpoint } from "./endpoints.ts";

export interface Instance {
  readonly id: string;
  readonly store_id: string;
  readonly store: string;
  readonly name: string;
  readonly channels: ChannelCode[];
  readonly status: "active" | "disabled" | "revoked";
  readonly key_prefix: string;
  readonly key_last4: string;
  readonly rate_limit: number;
  readonly expires_at: Date | null;
  readonly created_at: Date;
  readonly endpoint_id: string | null;
  readonly webhook: string | null;
  readonly events: EventType[] | null;
}

/** The webhook of an instance: where its events go, and the sealed secret that signs them. */
export interface NewEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly EventType[];
  readonly secretSealed: string;
}

export interface NewInstance {
  readonly id: string;
  readonly storeId: string;
  readonly name: string;
  readonly channels: readonly ChannelCode[];
  readonly keyHash: Buffer;
  readonly keyPrefix: string;
  readonly keyLast4: string;
  readonly rateLimit: number;
  readonly expiresAt: Date | null;
  readonly endpoint: NewEndpoint | null;
}

export interface InstanceChange {
  readonly name?: string;
  readonly channels?: readonly ChannelCode[];
  readonly status?: Instance["status"];
  readonly rateLimit?: number;
  readonly expiresAt?: Date | null;
  readonly events?: readonly EventType[];
  /** `null` takes the webhook away; a URL alone moves it and keeps its secret. */
  readonly webhook?: NewEndpoint | { readonly url: string } | null;
}

const selectInstance = `SELECT i.id, i.store_id, s.slug AS store, i.name, i.channels, i.status, i.key_prefix, i.key_last4, i.rate_limit,
  i.expires_at, i.created_at, e.id AS endpoint_id, e.url AS webhook, e.events
  FROM instances i JOIN stores s ON s.id = i.store_id
  LEFT JOIN endpoints e ON e.store_id = i.store_id AND e.instance_id = i.id AND e.status = 'active'`;

/** Stores a new instance and its webhook, if it has one. */
export async function createInstance(database: Database, instance: NewInstance): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.query({
      text: `INSERT INTO instances (store_id, id, name, channels, key_hash, key_prefix, key_last4, rate_limit, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      values: [
        instance.storeId,
        instance.id,
        instance.name,
        instance.channels,
        instance.keyHash,
        instance.keyPrefix,
        instance.keyLast4,
        instance.rateLimit,
        instance.expiresAt,
      ],
    });
    if (instance.endpoint !== null) await putEndpoint(transaction, instance, instance.endpoint);
  });
}

/** A store's instances, oldest first. */
export async function listInstances(database: Queryable, storeId: string): Promise<Instance[]> {
  return (
    await database.query<Instance>({
      text: `${selectInstance} WHERE i.store_id = $1 ORDER BY i.id`,
      values: [storeId],
    })
  ).rows;
}

/** The instance of an id, or `null`. */
export async function findInstance(database: Queryable, id: string): Promise<Instance | null> {
  return (
    (await database.query<Instance>({ text: `${selectInstance} WHERE i.id = $1`, values: [id] }))
      .rows[0] ?? null
  );
}

/** Changes what is given and leaves the rest. A revoked instance stays revoked: resolves to `false`, with nothing changed. */
export async function changeInstance(
  database: Database,
  instance: Pick<Instance, "id" | "store_id">,
  change: InstanceChange,
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const { rowCount } = await transaction.query({
      text: `UPDATE instances SET name = coalesce($3, name), channels = coalesce($4, channels), status = coalesce($5, status),
             rate_limit = coalesce($6, rate_limit), expires_at = CASE WHEN $7 THEN $8 ELSE expires_at END
             WHERE store_id = $1 AND id = $2 AND status <> 'revoked'`,
      values: [
        instance.store_id,
        instance.id,
        change.name,
        change.channels,
        change.status,
        change.rateLimit,
        change.expiresAt !== undefined,
        change.expiresAt ?? null,
      ],
    });
    if (rowCount === 0) return false;
    await changeEndpoint(transaction, instance, change);
    return true;
  });
}

async function changeEndpoint(
  transaction: Queryable,
  instance: Pick<Instance, "id" | "store_id">,
  change: InstanceChange,
): Promise<void> {
  const of = [instance.store_id, instance.id];
  // A revoked key must not go on receiving what customers write.
  if (change.webhook === null || change.status === "revoked") {
    const reason = change.status === "revoked" ? "its key was revoked" : "taken away by its owner";
    await transaction.query({
      text: "UPDATE endpoints SET status = 'disabled', disabled_reason = $3 WHERE store_id = $1 AND instance_id = $2",
      values: [...of, reason],
    });
  } else if (change.webhook !== undefined && "secretSealed" in change.webhook) {
    await putEndpoint(transaction, { storeId: instance.store_id, id: instance.id }, change.webhook);
  } else if (change.webhook !== undefined) {
    await transaction.query({
      text: "UPDATE endpoints SET url = $3 WHERE store_id = $1 AND instance_id = $2",
      values: [...of, change.webhook.url],
    });
  }
  if (change.events !== undefined) {
    await transaction.query({
      text: "UPDATE endpoints SET events = $3 WHERE store_id = $1 AND instance_id = $2",
      values: [...of, change.events],
    });
  }
}

/**
 * An instance has at most one endpoint. One that was taken away makes room: its row stays for its deliveries, without the instance's name
 * on it, so that the new one has an id and a secret of its own.
 */
async function putEndpoint(
  transaction: Queryable,
  instance: Pick<NewInstance, "storeId" | "id">,
  endpoint: NewEndpoint,
): Promise<void> {
  await transaction.query({
    text: "UPDATE endpoints SET instance_id = NULL, status = 'disabled' WHERE store_id = $1 AND instance_id = $2",
    values: [instance.storeId, instance.id],
  });
  await transaction.query({
    text: "INSERT INTO endpoints (store_id, id, instance_id, url, events, secret_sealed) VALUES ($1, $2, $3, $4, $5, $6)",
    values: [
      instance.storeId,
      endpoint.id,
      instance.id,
      endpoint.url,
      endpoint.events,
      endpoint.secretSealed,
    ],
  });
  await beginEndpoint(transaction, { storeId: instance.storeId, endpointId: endpoint.id });
}
