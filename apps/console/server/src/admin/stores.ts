// Stores and their credit.
import { changeStore, createStore, creditStore, isUniqueViolation, listStores } from "@thikaa/db";
import type { Store } from "@thikaa/db";
import {
  ApiError,
  isCallingCode,
  plan,
  sandboxStore,
  storeSlug,
  toCredits,
  toMicro,
  toWireId,
} from "@thikaa/schema";
import { z } from "zod";
import { validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { storeOf } from "./finding.ts";
import { ok } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";

const maxCredits = 1_000_000_000;
const name = z.string().trim().min(1, "must not be empty").max(200);
const callingCode = z
  .string()
  .refine(isCallingCode, "must be a country's calling code in digits, like 964");
const credits = z
  .number()
  .refine(
    (value) => toMicro(value) !== 0 && Math.abs(value) <= maxCredits,
    `must be a number of credits other than 0, at most ${maxCredits}`,
  );

const createBody = z.strictObject({
  slug: storeSlug,
  name: name.optional(),
  plan: plan.default("professional"),
  credits: z.number().min(0, "must not be below 0").max(maxCredits).default(0),
  default_calling_code: callingCode.nullish(),
  /** `sandbox` is for the store that talks to the stand-ins. */
  environment: z.enum(["live", "sandbox"]).default("live"),
});

const changeBody = z.strictObject({
  name: name.optional(),
  plan: plan.optional(),
  status: z.enum(["active", "inactive"]).optional(),
  default_calling_code: callingCode.nullable().optional(),
});

const creditBody = z.strictObject({ credits, note: z.string().trim().max(500).optional() });

/** A store as the admin API shows it. */
export function storeView(store: Store): Record<string, unknown> {
  return {
    id: toWireId("store", store.id),
    slug: store.slug,
    name: store.name,
    environment: store.environment,
    plan: store.plan,
    status: store.status,
    balance: toCredits(store.balance_micro),
    default_calling_code: store.default_calling_code,
    last_sequence: store.last_sequence,
    created_at: store.created_at.toISOString(),
  };
}

async function create(house: House, call: Call): Promise<Answer> {
  const body = validate(createBody, call.body);
  if (body.environment === "sandbox" && !house.config.sandbox)
    throw new ApiError("conflict", { message: "There is no sandbox in this house." });
  if (body.environment === "live" && body.slug === sandboxStore && house.config.sandbox)
    throw new ApiError("conflict", {
      message: `'${sandboxStore}' is the sandbox's store; choose another slug.`,
    });
  try {
    await createStore(house.database, {
      slug: body.slug,
      name: body.name ?? body.slug,
      environment: body.environment,
      plan: body.plan,
      defaultCallingCode: body.default_calling_code ?? null,
      creditMicro: toMicro(body.credits),
    });
  } catch (error) {
    if (isUniqueViolation(error, "stores_slug_key"))
      throw new ApiError("conflict", {
        message: `There is already a store '${body.slug}'. Choose another slug.`,
      });
    throw error;
  }
  return ok({ store: storeView(await storeOf(house, body.slug)) }, 201);
}

async function change(house: House, call: Call): Promise<Answer> {
  const body = validate(changeBody, call.body);
  const store = await storeOf(house, call.parameters["slug"]);
  await changeStore(house.database, store.id, body);
  return ok({ store: storeView(await storeOf(house, store.slug)) });
}

async function credit(house: House, call: Call): Promise<Answer> {
  const body = validate(creditBody, call.body);
  const store = await storeOf(house, call.parameters["slug"]);
  const balance = await creditStore(house.database, {
    storeId: store.id,
    amountMicro: toMicro(body.credits),
    note: body.note ?? null,
  });
  if (balance === null) {
    throw new ApiError("conflict", {
      message: `The balance is ${toCredits(store.balance_micro)}; it can't fall below 0. Nothing was changed.`,
    });
  }
  return ok({ store: store.slug, credited: body.credits, balance: toCredits(balance) });
}

export const storeRoutes: readonly Route[] = [
  { method: "POST", path: "/stores", handle: create },
  {
    method: "GET",
    path: "/stores",
    handle: async (house) => ok({ stores: (await listStores(house.database)).map(storeView) }),
  },
  {
    method: "GET",
    path: "/stores/:slug",
    handle: async (house, call) =>
      ok({ store: storeView(await storeOf(house, call.parameters["slug"])) }),
  },
  { method: "PATCH", path: "/stores/:slug", handle: change },
  { method: "POST", path: "/stores/:slug/credit", handle: credit },
];
