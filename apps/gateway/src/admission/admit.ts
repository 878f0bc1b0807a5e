// Admission: method, key, rate and plan, in the order of the error table.
import type { IncomingMessage } from "node:http";
import type { KeyHolder } from "@thikaa/db";
import { actions, ApiError, planIncludesMessagingApi } from "@thikaa/schema";
import type { Action } from "@thikaa/schema";
import type { Exchange } from "../answer.ts";
import type { MessagingRoute } from "../route.ts";
import type { KeyDirectory } from "./key-directory.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface Admission {
  readonly keys: KeyDirectory;
  readonly rateLimit: RateLimit;
}

/** A request that may go on to its action. */
export interface Admitted {
  readonly action: Action;
  readonly holder: KeyHolder;
  readonly apiKey: string;
}

/** Admits a request or throws the first error that applies. Once the key is known, the exchange carries its rate. */
export async function admit(
  admission: Admission,
  exchange: Exchange,
  route: MessagingRoute,
): Promise<Admitted> {
  const { action } = route;
  if (action === null) throw new ApiError("unknown_action");
  if (exchange.request.method !== actions[action])
    throw new ApiError("method_not_allowed", { allow: actions[action] });
  const apiKey = readApiKey(exchange.request);
  if (apiKey === null) throw new ApiError("missing_api_key");
  const found = admission.keys.find(apiKey);
  const holder = found instanceof Promise ? await found : found;
  if (holder === null || holder.store !== route.store || !isActive(holder))
    throw new ApiError("invalid_api_key");
  const counted = admission.rateLimit.check(holder.instanceId, holder.rateLimit);
  const rate = counted instanceof Promise ? await counted : counted;
  exchange.rate = rate;
  if (!rate.allowed)
    throw new ApiError("rate_limited", { retryAfter: Math.max(1, rate.resetSeconds) });
  const isEligible = planIncludesMessagingApi(holder.plan);
  return { action, apiKey, holder: isEligible ? holder : await findEligible(admission, apiKey) };
}

/** The holder with an eligible plan: one upgraded a moment ago counts, so a refusal asks the table. */
async function findEligible(admission: Admission, apiKey: string): Promise<KeyHolder> {
  const anew = await admission.keys.findAnew(apiKey);
  if (anew === null) throw new ApiError("invalid_api_key");
  if (!planIncludesMessagingApi(anew.plan)) throw new ApiError("plan_not_eligible");
  return anew;
}

/** The key from `Authorization: Bearer …`, else from `X-API-Key`. */
function readApiKey(request: IncomingMessage): string | null {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const header = request.headers["x-api-key"];
  return typeof header === "string" && header.trim() !== "" ? header.trim() : null;
}

function isActive(holder: KeyHolder): boolean {
  return (
    holder.status === "active" &&
    (holder.expiresAt === null || holder.expiresAt.getTime() > Date.now())
  );
}
