// Stores: making them, showing them, and their credit, which is always a ledger row and the balance in one transaction.
import { newId } from "@thikaa/schema";
import type { Plan } from "@thikaa/schema";
import type { Database, Queryable } from "./database.ts";

export interface Store {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly environment: "live" | "sandbox";
  readonly plan: Plan;
  readonly status: "active" | "inactive";
  readonly default_calling_code: string | null;
  readonly created_at: Date;
  readonly balance_micro: number;
  /** The number of the store's newest event; 0 when there is none. */
  readonly last_sequence: number;
}

export interface NewStore {
  readonly slug: string;
  readonly name: string;
  readonly environment: "live" | "sandbox";
  readonly plan: Plan;
  readonly defaultCallingCode: string | null;
  readonly creditMicro: number;
}

export type StoreChange = Partial<Pick<Store, "name" | "plan" | "status" | "default_calling_code">>;

export interface Credit {
  readonly storeId: string;
  /** Negative takes credit away. */
  readonly amountMicro: number;
  readonly note: string | null;
}

const selectStore = `SELECT s.id, s.slug, s.name, s.environment, s.plan, s.status, s.default_calling_code, s.created_at,
  coalesce(b.balance_micro, 0) AS balance_micro, coalesce(q.last, 0) AS last_sequence
  FROM stores s LEFT JOIN balances b ON b.store_id = s.id LEFT JOIN store_sequences q ON q.store_id = s.id`;

/** Makes a store with its balance and first credit. A slug that is taken is a unique violation of `stores_slug_key`. */
export async function createStore(database: Database, store: NewStore): Promise<string> {
  const id = newId();
  await database.transaction(async (transaction) => {
    await transaction.query({
      text: "INSERT INTO stores (id, slug, name, environment, plan, default_calling_code) VALUES ($1, $2, $3, $4, $5, $6)",
      values: [id, store.slug, store.name, store.environment, store.plan, store.defaultCallingCode],
    });
    await transaction.query({
      text: "INSERT INTO balances (store_id, balance_micro) VALUES ($1, $2)",
      values: [id, store.creditMicro],
    });
    if (store.creditMicro !== 0)
      await writeCredit(transaction, {
        storeId: id,
        amountMicro: store.creditMicro,
        note: "first credit",
      });
  });
  return id;
}

/** Every store, by slug. */
export async function listStores(database: Queryable): Promise<Store[]> {
  return (await database.query<Store>({ text: `${selectStore} ORDER BY s.slug` })).rows;
}

/** The store of a slug, or `null`. */
export async function findStore(database: Queryable, slug: string): Promise<Store | null> {
  return (
    (await database.query<Store>({ text: `${selectStore} WHERE s.slug = $1`, values: [slug] }))
      .rows[0] ?? null
  );
}

/** Changes what is given and leaves the rest. */
export async function changeStore(
  database: Database,
  storeId: string,
  change: StoreChange,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await database.query({
    text: `UPDATE stores SET name = coalesce($2, name), plan = coalesce($3, plan), status = coalesce($4, status),
           default_calling_code = CASE WHEN $5 THEN $6 ELSE default_calling_code END WHERE id = $1`,
    values: [
      storeId,
      change.name,
      change.plan,
      change.status,
      change.default_calling_code !== undefined,
      change.default_calling_code,
    ],
  });
}

/** Adds credit, or takes it away down to 0. Resolves to the new balance in millionths, or `null` when it would fall below 0: then nothing changed. */
export async function creditStore(database: Database, credit: Credit): Promise<number | null> {
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ balance_micro: number }>({
      text: `UPDATE balances SET balance_micro = balance_micro + $2 WHERE store_id = $1 AND balance_micro + $2 >= 0 RETURNING balance_micro`,
      values: [credit.storeId, credit.amountMicro],
    });
    const [row] = rows;
    if (row === undefined) return null;
    await writeCredit(transaction, credit);
    return row.balance_micro;
  });
}

async function writeCredit(transaction: Queryable, credit: Credit): Promise<void> {
  await transaction.query({
    text: "INSERT INTO ledger (store_id, id, kind, amount_micro, note) VALUES ($1, $2, 'credit', $3, $4)",
    values: [credit.storeId, newId(), credit.amountMicro, credit.note],
  });
}
