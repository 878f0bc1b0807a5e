// The start page's routes: the page, its live part, and the small files of all pages.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import express from "express";
import type { Request } from "express";
import { listConnections, listStores, readChannelDescriptions } from "@thikaa/db";
import { sandboxStore } from "@thikaa/schema";
import { originOf } from "../http/origin.ts";
import type { House } from "../house.ts";
import { answerHtml, languageFrom } from "./answer.ts";
import { renderConnections } from "./connections.ts";
import type { HouseState } from "./connections.ts";
import { renderStartPage } from "./start-page.ts";
import type { FirstChannel } from "./start-page.ts";

const folder = join(import.meta.dirname, "../../assets");
const files = {
  "start.css": "text/css; charset=utf-8",
  "start.js": "text/javascript; charset=utf-8",
  "pair.css": "text/css; charset=utf-8",
  "pair.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

/** Routes of the page. Reads the small files once. */
export async function pageRoutes(house: House): Promise<express.Router> {
  const router = express.Router();
  for (const [name, type] of Object.entries(files)) {
    const content = await readFile(join(folder, name));
    router.get(`/console/${name}`, (_request, response) => {
      response
        .writeHead(200, {
          "Content-Type": type,
          "Content-Length": content.length,
          "Cache-Control": "no-cache",
        })
        .end(content);
    });
  }
  router.get("/", async (request, response) =>
    answerHtml(response, await startPage(house, request)),
  );
  router.get("/console/connections", async (request, response, next) => {
    const state = await visibleState(house);
    if (state === null) return next();
    answerHtml(response, renderConnections(state, languageFrom(request)).text);
  });
  return router;
}

async function startPage(house: House, request: Request): Promise<string> {
  const [state, channel] = await Promise.all([visibleState(house), firstChannel(house)]);
  const trial = state?.connections.find(
    (connection) => connection.store === sandboxStore && connection.environment === "sandbox",
  );
  return renderStartPage({
    language: languageFrom(request),
    origin: originOf(house, request),
    simulator: house.config.sandbox,
    channel: state === null ? null : channel,
    sandbox: trial === undefined ? null : { slug: trial.store, channel: trial.channel },
    state,
  });
}

/** In production nobody has signed in here, so nothing of a store is shown. */
async function visibleState(house: House): Promise<HouseState | null> {
  if (house.config.environment === "production") return null;
  const [stores, connections] = await Promise.all([
    listStores(house.database),
    listConnections(house.database),
  ]);
  return { stores, connections };
}

async function firstChannel(house: House): Promise<FirstChannel | null> {
  const [first] = await readChannelDescriptions(house.database);
  if (first === undefined) return null;
  const [code, { credentials }] = first;
  return {
    code,
    fields: credentials
      .filter((field) => field.level === "connection" && field.required)
      .map((field) => field.name),
  };
}
