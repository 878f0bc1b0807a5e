// Finds what a path or query names, or says in plain words that it is not there.
import { findConnection, findInstance, findStore } from "@thikaa/db";
import type { AdminConnection, Instance, Store } from "@thikaa/db";
import { ApiError, fromWireId } from "@thikaa/schema";
import type { IdKind } from "@thikaa/schema";
import type { House } from "../house.ts";

/** The store of a slug; `not_found` otherwise. */
export async function storeOf(house: House, slug: string | undefined): Promise<Store> {
  const store = slug === undefined ? null : await findStore(house.database, slug);
  if (store === null)
    throw new ApiError("not_found", { message: `There is no store '${slug ?? ""}'.` });
  return store;
}

/** The instance of a wire id; `not_found` otherwise. */
export async function instanceOf(house: House, id: string | undefined): Promise<Instance> {
  const instance = await findInstance(house.database, uuidOf("instance", id));
  if (instance === null)
    throw new ApiError("not_found", { message: `There is no key '${id ?? ""}'.` });
  return instance;
}

/** The connection of a wire id; `not_found` otherwise. */
export async function connectionOf(house: House, id: string | undefined): Promise<AdminConnection> {
  const connection = await findConnection(house.database, uuidOf("connection", id));
  if (connection === null)
    throw new ApiError("not_found", { message: `There is no connection '${id ?? ""}'.` });
  return connection;
}

/** The table id behind a wire id; `not_found` when it is none of that kind. */
export function uuidOf(kind: IdKind, id: string | undefined): string {
  const uuid = fromWireId(kind, id ?? "");
  if (uuid === null)
    throw new ApiError("not_found", {
      message: `'${id ?? ""}' is not the id of a ${kind === "instance" ? "key (ins_…)" : `${kind}`}.`,
    });
  return uuid;
}
