// The paths of a pairing's link: the page, what it asks for, and its live stream. Whoever has the link may use them, as long as it lasts.
import express from "express";
import type { Request, Response } from "express";
import { findConnection, findPairingView } from "@thikaa/db";
import type { AdminConnection, PairingLink } from "@thikaa/db";
import { answerJson } from "@thikaa/runtime";
import { ApiError } from "@thikaa/schema";
import type { PairingState } from "@thikaa/schema";
import { z } from "zod";
import { StreamPlaces } from "../http/event-stream.ts";
import { RateLimit } from "../http/rate-limit.ts";
import { readJson } from "../http/read-json.ts";
import { validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { answerHtml, languageFrom } from "../page/answer.ts";
import { ask, pairingOf, phoneFrom } from "../pairing/ask.ts";
import { linkOf } from "../pairing/links.ts";
import { streamPairing } from "../pairing/live.ts";
import { readPairing } from "../pairing/state.ts";
import { renderLive } from "./live.ts";
import type { LivePage } from "./live.ts";
import { renderGonePage, renderPairPage } from "./page.ts";

const places = new StreamPlaces(200);
/** A page takes three requests; behind a proxy many people share an address. */
const requestsPerMinute = 600;
/** Each makes the provider begin anew. */
const asksPerMinute = 6;

const askBody = z.strictObject({ phone: z.string().nullish() });

interface Pairing {
  readonly link: PairingLink;
  readonly connection: AdminConnection;
}

/** Routes below `/pair/{token}`. */
export function pairPageRoutes(house: House): express.Router {
  const router = express.Router();
  const requests = new RateLimit(requestsPerMinute);
  const asks = new RateLimit(asksPerMinute);
  router.use("/pair/:token", (request, response, next) => {
    response.setHeader("X-Robots-Tag", "noindex");
    limit(requests, request.socket.remoteAddress ?? "");
    next();
  });
  router.get("/pair/:token", async (request, response) => {
    const language = languageFrom(request);
    const found = await find(house, request.params.token);
    if (found === null || found.link.used)
      return answerHtml(response, renderGonePage(language), 404);
    answerHtml(response, await page(house, request, found.connection));
  });
  router.post("/pair/:token", async (request, response) => {
    const found = await find(house, request.params.token);
    if (found === null || found.link.used) throw new ApiError("not_found");
    limit(asks, found.link.connection_id);
    await begin(house, request, found);
    answerJson(response, 200, { ok: true });
  });
  router.get("/pair/:token/events", async (request, response) => watch(house, request, response));
  return router;
}

function limit(rate: RateLimit, name: string): void {
  const retryAfter = rate.take(name);
  if (retryAfter !== null) throw new ApiError("rate_limited", { retryAfter });
}

async function find(house: House, token: string): Promise<Pairing | null> {
  const link = await linkOf(house, token);
  const connection =
    link === null ? null : await findConnection(house.database, link.connection_id);
  return link === null || connection === null ? null : { link, connection };
}

async function livePage(
  house: House,
  request: Request,
  connection: AdminConnection,
): Promise<LivePage> {
  const { channel } = connection;
  return {
    language: languageFrom(request),
    channel,
    described: await pairingOf(house, connection),
  };
}

async function page(house: House, request: Request, connection: AdminConnection): Promise<string> {
  const live = await livePage(house, request, connection);
  return renderPairPage({
    ...live,
    name: connection.name,
    live: renderLive({ state: "connecting" }, live),
  });
}

/** Without a wish for one or the other way, what is under way goes on. */
async function begin(house: House, request: Request, { link, connection }: Pairing): Promise<void> {
  const { phone } = validate(askBody, await readJson(request));
  const asked = (await findPairingView(house.database, connection.id))?.asked === true;
  if (phone === undefined && asked) return;
  await ask(house, connection, {
    askedBy: "link",
    phone: phone == null ? null : phoneFrom(phone),
    lastsSeconds: Math.ceil(link.left_ms / 1_000),
  });
}

async function watch(
  house: House,
  request: Request<{ token: string }>,
  response: Response,
): Promise<void> {
  const { token } = request.params;
  const found = await find(house, token);
  if (found === null) throw new ApiError("not_found");
  const live = await livePage(house, request, found.connection);
  await places.take(() =>
    streamPairing(house, {
      connectionId: found.connection.id,
      response,
      read: () => readByLink(house, token),
      write: (pairing) => renderLive(pairing, live),
    }),
  );
}

/** The link is looked at each time: what is shown ends with it. A used one still tells whether the phone was linked, and never shows a code again. */
async function readByLink(house: House, token: string): Promise<PairingState | null> {
  const link = await linkOf(house, token);
  const pairing = link === null ? null : await readPairing(house, link.connection_id);
  const shows = pairing?.qr ?? pairing?.code;
  return link?.used === true && shows !== undefined ? null : pairing;
}
