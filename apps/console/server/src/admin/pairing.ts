// Pairing over the admin API: asking for it, taking it back, watching it live, and the link for another screen.
import { z } from "zod";
import { StreamPlaces } from "../http/event-stream.ts";
import { originOf } from "../http/origin.ts";
import { validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { ask, cancel, pairingOf, pairingSeconds, phoneFrom } from "../pairing/ask.ts";
import { makeLink } from "../pairing/links.ts";
import { streamPairing } from "../pairing/live.ts";
import { readPairing } from "../pairing/state.ts";
import { connectionOf } from "./finding.ts";
import { ok } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";

const places = new StreamPlaces(200);

const askBody = z.strictObject({ phone: z.string().nullish() });

async function begin(house: House, call: Call): Promise<Answer> {
  const { phone } = validate(askBody, call.body);
  const connection = await connectionOf(house, call.parameters["id"]);
  await ask(house, connection, {
    askedBy: "admin",
    phone: phone == null ? null : phoneFrom(phone),
    lastsSeconds: pairingSeconds,
  });
  return ok({ ...(await readPairing(house, connection.id)) });
}

async function watch(house: House, call: Call): Promise<null> {
  const { id } = await connectionOf(house, call.parameters["id"]);
  await places.take(() =>
    streamPairing(house, {
      connectionId: id,
      response: call.response,
      read: () => readPairing(house, id),
      write: (pairing) => pairing,
    }),
  );
  return null;
}

async function end(house: House, call: Call): Promise<Answer> {
  const connection = await connectionOf(house, call.parameters["id"]);
  return ok({ cancelled: await cancel(house, connection) });
}

async function link(house: House, call: Call): Promise<Answer> {
  const connection = await connectionOf(house, call.parameters["id"]);
  await pairingOf(house, connection);
  const { path, expiresAt } = await makeLink(house, connection);
  const url = originOf(house, call.request) + path;
  return ok({ url, expires_at: expiresAt.toISOString() }, 201);
}

const path = "/connections/:id/pairing";

export const pairingRoutes: readonly Route[] = [
  { method: "POST", path, handle: begin },
  { method: "GET", path, handle: watch },
  { method: "DELETE", path, handle: end },
  { method: "POST", path: `${path}/link`, handle: link },
];
