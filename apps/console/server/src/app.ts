// The console's HTTP: the admin API behind its token, the start page before it, one request id on every answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import type { NextFunction, Request, Response } from "express";
import { answerJson } from "@thikaa/runtime";
import { ApiError, newId, toWireId } from "@thikaa/schema";
import { channelRoutes } from "./admin/channels.ts";
import { connectionRoutes } from "./admin/connections.ts";
import { doctorRoutes } from "./admin/doctor.ts";
import { keyRoutes } from "./admin/keys.ts";
import { listenRoutes } from "./admin/listen.ts";
import { messageRoutes } from "./admin/messages.ts";
import { pairingRoutes } from "./admin/pairing.ts";
import type { Route } from "./admin/route.ts";
import { statusRoutes } from "./admin/status.ts";
import { storeRoutes } from "./admin/stores.ts";
import { adminTokenCheck } from "./http/admin-token.ts";
import { answerProblem } from "./http/problems.ts";
import { readJson } from "./http/read-json.ts";
import type { House } from "./house.ts";
import { pageRoutes } from "./page/routes.ts";
import { pairPageRoutes } from "./pair-page/routes.ts";

/** Where the admin API lies. */
export const adminBase = "/api/admin/v1";

const routes: readonly Route[] = [
  ...storeRoutes,
  ...keyRoutes,
  ...connectionRoutes,
  ...pairingRoutes,
  ...channelRoutes,
  ...messageRoutes,
  ...listenRoutes,
  ...statusRoutes,
  ...doctorRoutes,
];

/** Makes the listener for all of the console's paths. */
export async function createApp(
  house: House,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.use((request, response, next) => begin(house, { request, response, next }));
  app.use(adminBase, adminRouter(house));
  app.use(await pageRoutes(house));
  app.use(pairPageRoutes(house));
  app.use(() => {
    throw new ApiError("not_found");
  });
  // Express knows an error handler by its four parameters.
  // oxlint-disable-next-line max-params
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    fail(house, { error, request, response }),
  );
  return app;
}

function begin(
  house: House,
  { request, response, next }: { request: Request; response: Response; next: NextFunction },
): void {
  const started = performance.now();
  const requestId = toWireId("request", newId());
  response.locals["requestId"] = requestId;
  response.setHeader("X-Request-Id", requestId);
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  const { method } = request;
  const path = withoutToken(request.path);
  response.on("close", () =>
    house.log.debug(
      {
        method,
        path,
        status: response.statusCode,
        ms: Math.round(performance.now() - started),
        request_id: requestId,
      },
      "answered",
    ),
  );
  next();
}

/** The token of a link lets in whoever has it. */
function withoutToken(path: string): string {
  return path.replace(/^\/pair\/[^/]+/i, "/pair/…");
}

function adminRouter(house: House): express.Router {
  const router = express.Router();
  const checkToken = adminTokenCheck(house.config.adminToken);
  router.use((request, _response, next) => {
    checkToken(request.headers.authorization);
    next();
  });
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const allow = ofPath.map((route) => route.method).join(", ");
    router.all(path, async (request, response) => {
      const route = ofPath.find(({ method }) => method === request.method);
      if (route === undefined)
        throw new ApiError("method_not_allowed", { message: `This path takes ${allow}.`, allow });
      await answer(house, { route, request, response });
    });
  }
  return router;
}

async function answer(
  house: House,
  { route, request, response }: { route: Route; request: Request; response: Response },
): Promise<void> {
  const body = route.method === "POST" || route.method === "PATCH" ? await readJson(request) : {};
  const answered = await route.handle(house, {
    parameters: textsOf(request.params),
    query: textsOf(request.query),
    body,
    request,
    response,
  });
  if (answered !== null) answerJson(response, answered.status, answered.body);
}

/** Path parameters and queries as texts; of a repeated one the first counts. */
function textsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      String(Array.isArray(value) ? value[0] : value),
    ]),
  );
}

function fail(
  house: House,
  { error, request, response }: { error: unknown; request: Request; response: Response },
): void {
  const language = /^\s*ar\b/i.test(request.headers["accept-language"] ?? "") ? "ar" : "en";
  const requestId = String(response.locals["requestId"]);
  // Express's own word on a path that can't be decoded.
  const known = error instanceof URIError ? new ApiError("not_found", { cause: error }) : error;
  answerProblem(known, { response, requestId, language, log: house.log });
}
