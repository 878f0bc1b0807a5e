// Connections: adding one with its first check, showing, changing and removing them.
import {
  changeConnection,
  createConnection,
  discardConnection,
  listConnections,
  readChannelDescriptions,
  removeConnection,
} from "@thikaa/db";
import type { AdminConnection, FirstReport, Store } from "@thikaa/db";
import {
  ApiError,
  channelCode,
  connectionSettings,
  newId,
  toMicro,
  toWireId,
} from "@thikaa/schema";
import type { PairingReasonCode } from "@thikaa/schema";
import { abandonConnection } from "@thikaa/sending";
import { newToken, places } from "@thikaa/vault";
import { z } from "zod";
import { invalid, validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { connectionView, describeNext } from "./connection-view.ts";
import { checkCredentials, connectionFields } from "./credentials.ts";
import { connectionOf, storeOf } from "./finding.ts";
import { watchFirstCheck } from "./first-check.ts";
import { ok } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";
import { checkSandbox } from "./sandbox-guard.ts";

/** No phone is linked yet: nothing is wrong with what its owner gave. */
const notPaired: PairingReasonCode = "not_paired";

const name = z.string().trim().min(1, "must not be empty").max(200);
const credentials = z.record(z.string(), z.string({ error: "must be text" }));

const createBody = z.strictObject({
  channel: channelCode,
  name,
  credentials: credentials.default({}),
  settings: connectionSettings.strict().optional(),
  /** Credits a message; the house's price otherwise. */
  price: z.number().min(0).max(1_000_000).nullish(),
  /** Says that these are a stand-in's credentials; needed in the sandbox's store, refused elsewhere. */
  sandbox: z.boolean().default(false),
});

const changeBody = z.strictObject({
  name: name.optional(),
  default: z
    .literal(true, {
      error: "can only be set to true; make another connection the default instead",
    })
    .optional(),
  desired: z.enum(["on", "off"]).optional(),
  credentials: credentials.optional(),
  sandbox: z.boolean().default(false),
});

const listQuery = z.strictObject({ store: z.string().optional() });

async function create(house: House, call: Call): Promise<Answer> {
  const body = validate(createBody, call.body);
  const store = await storeOf(house, call.parameters["slug"]);
  checkSandbox(store, body);
  const checked = checkCredentials(await connectionFields(house, body.channel), body.credentials);
  const id = newId();
  const check = await watchFirstCheck(house, id);
  try {
    await createConnection(house.database, {
      id,
      storeId: store.id,
      channel: body.channel,
      name: body.name,
      environment: store.environment,
      credentialsSealed: sealCredentials(house, id, checked),
      webhookSecretSealed: house.vault.seal(newToken(), places.connectionWebhookSecret(id)),
      settings: body.settings ?? {},
      priceMicro: body.price == null ? null : toMicro(body.price),
    });
    ringConnection(house, { id, store_id: store.id, channel: body.channel, state: "connecting" });
    return await answerVerdict(house, {
      store,
      id,
      channel: body.channel,
      report: await check.verdict(),
    });
  } finally {
    check.close();
  }
}

interface Verdict {
  readonly store: Store;
  readonly id: string;
  readonly channel: AdminConnection["channel"];
  readonly report: FirstReport | null;
}

/** A connection whose first check failed is taken away again: a mistyped secret should leave nothing behind. */
async function answerVerdict(
  house: House,
  { store, id, channel, report }: Verdict,
): Promise<Answer> {
  if (report === null)
    throw new ApiError("conflict", {
      message: "The connection was removed while it was being checked.",
    });
  if (report.state === "attention" && report.reason?.code !== notPaired) {
    await discardConnection(house.database, { id, store_id: store.id, channel });
    ringConnection(house, { id, store_id: store.id, channel, state: "off" });
    throw refusal(
      report.reason ?? {
        code: "refused",
        message: "The provider did not accept these credentials.",
      },
    );
  }
  const connection = await connectionOf(house, toWireId("connection", id));
  return ok(await viewWithNext(house, connection), 201);
}

async function viewWithNext(house: House, connection: AdminConnection): Promise<object> {
  const described = (await readChannelDescriptions(house.database)).get(connection.channel);
  const next = describeNext(connection, described?.pairing !== undefined);
  return { ...connectionView(connection), next };
}

/** An account that another connection has is a conflict; everything else is about the credentials. */
function refusal(reason: { code: string; message: string }): Error {
  return reason.code === "account_in_use"
    ? new ApiError("conflict", { message: reason.message })
    : new ApiError("credentials_refused", {
        message: reason.message,
        details: [{ path: "credentials", message: reason.message }],
      });
}

async function change(house: House, call: Call): Promise<Answer> {
  const body = validate(changeBody, call.body);
  const connection = await connectionOf(house, call.parameters["id"]);
  const checked =
    body.credentials === undefined
      ? undefined
      : await checkNewCredentials(house, connection, {
          credentials: body.credentials,
          sandbox: body.sandbox,
        });
  await changeConnection(house.database, connection, {
    name: body.name,
    makeDefault: body.default,
    desired: body.desired,
    credentialsSealed:
      checked === undefined ? undefined : sealCredentials(house, connection.id, checked),
  });
  ringConnection(house, connection);
  const changed = await connectionOf(house, call.parameters["id"]);
  return ok({
    ...(await viewWithNext(house, changed)),
    ...(checked !== undefined && {
      next: "The new credentials are being checked; 'connection show' tells the state.",
    }),
  });
}

async function checkNewCredentials(
  house: House,
  connection: AdminConnection,
  given: { credentials: Record<string, string>; sandbox: boolean },
): Promise<Record<string, string>> {
  if (Object.keys(given.credentials).length === 0)
    throw invalid([{ path: "credentials", message: "'credentials' is empty." }]);
  checkSandbox(await storeOf(house, connection.store), { ...given, channel: connection.channel });
  return checkCredentials(await connectionFields(house, connection.channel), given.credentials);
}

async function remove(house: House, call: Call): Promise<Answer> {
  const connection = await connectionOf(house, call.parameters["id"]);
  await removeConnection(house.database, connection);
  ringConnection(house, { ...connection, state: "off" });
  const where = { storeId: connection.store_id, connectionId: connection.id };
  const abandoned = await abandonConnection(house.database, where);
  house.bus.ringUnnumbered([connection.store_id]);
  return ok({ id: toWireId("connection", connection.id), removed: true, abandoned });
}

async function list(house: House, slug: string | undefined): Promise<Answer> {
  const storeId = slug === undefined ? null : (await storeOf(house, slug)).id;
  return ok({ connections: (await listConnections(house.database, storeId)).map(connectionView) });
}

function sealCredentials(house: House, id: string, checked: Record<string, string>): string {
  return house.vault.seal(JSON.stringify(checked), places.connectionCredentials(id));
}

function ringConnection(
  house: House,
  connection: Pick<AdminConnection, "id" | "store_id" | "channel" | "state">,
): void {
  const { id, store_id, channel, state } = connection;
  house.bus.ring(
    { ring: "connection", to: [id] },
    { store_id, connection_id: id, channel, state, reason: null },
  );
}

export const connectionRoutes: readonly Route[] = [
  { method: "POST", path: "/stores/:slug/connections", handle: create },
  {
    method: "GET",
    path: "/stores/:slug/connections",
    handle: (house, call) => list(house, call.parameters["slug"]),
  },
  {
    method: "GET",
    path: "/connections",
    handle: (house, call) => list(house, validate(listQuery, call.query).store),
  },
  {
    method: "GET",
    path: "/connections/:id",
    handle: async (house, call) => {
      const connection = await connectionOf(house, call.parameters["id"]);
      return ok(await viewWithNext(house, connection));
    },
  },
  { method: "PATCH", path: "/connections/:id", handle: change },
  { method: "DELETE", path: "/connections/:id", handle: remove },
];
