// Everything under /simulator: the page, its API, its live events, and the sink for webhooks.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { z } from "zod";
import type { Asset } from "./assets.ts";
import { deedShape, fileShape, shopShape } from "./deeds.ts";
import type { Phone } from "./phone.ts";
import type { ShopPhone } from "./shop-phone.ts";
import type { WebhookLog } from "./webhook-log.ts";

/** What the routes work on. `streams` holds the open event streams, so that a stop can end them. */
export interface RouteParts {
  phone: Phone;
  shop: ShopPhone;
  log: WebhookLog;
  assets: ReadonlyMap<string, Asset>;
  streams: Set<ServerResponse>;
}

const LARGEST_BODY = 262_144;
/** More than any bot may fetch. */
const LARGEST_FILE = 20 * 1_048_576;
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");
const KEEP_ALIVE_MS = 20_000;

/** Makes the listener; it answers only paths under /simulator, with 404 for any other. */
export function createRoutes(parts: RouteParts): RequestListener {
  return (request, response) => {
    secure(response);
    answer(parts, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else
        answerJson(response, error instanceof RefusedError ? error.status : 500, {
          ok: false,
          error: describe(error),
        });
    });
  };
}

/** A request that can't be answered, with the status that says why. */
class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answer(
  parts: RouteParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const method = request.method ?? "GET";
  const asset = assetFor(parts.assets, path);
  if (asset && (method === "GET" || method === "HEAD")) return answerAsset(response, asset, method);
  const sink = /^\/simulator\/webhooks\/([\w.-]{1,64})$/.exec(path)?.[1];
  if (sink !== undefined && method === "POST")
    return takeDelivery(parts.log, sink, { request, response });
  if (path === "/simulator/api/state" && method === "GET") {
    return answerJson(response, 200, stateOf(parts));
  }
  if (path === "/simulator/api/events" && method === "GET") return openStream(parts, response);
  if (path === "/simulator/api/file" && method === "GET")
    return answerFile(parts.phone, request, response);
  const action = /^\/simulator\/api\/(shop\/)?(\w+)$/.exec(path);
  if (method !== "POST" || action === null)
    throw new RefusedError(404, `There is no ${method} ${path} here.`);
  const [, isShops, kind = ""] = action;
  if (isShops !== undefined) await actForShop(parts.shop, kind, request);
  else if (kind === "file") await takeFile(parts.phone, request);
  else await act(parts.phone, kind, request);
  answerJson(response, 200, { ok: true });
}

function assetFor(assets: ReadonlyMap<string, Asset>, path: string): Asset | undefined {
  if (path === "/simulator" || path === "/simulator/") return assets.get("index.html");
  return assets.get(/^\/simulator\/web\/([\w.-]+)$/.exec(path)?.[1] ?? "");
}

function answerAsset(response: ServerResponse, asset: Asset, method: string): void {
  response.writeHead(200, {
    "content-type": asset.contentType,
    "content-length": asset.body.length,
    "cache-control": "no-cache",
  });
  response.end(method === "HEAD" ? undefined : asset.body);
}

/** A picture may be shown in place, a voice played; anything else is only ever saved. */
function answerFile(phone: Phone, request: IncomingMessage, response: ServerResponse): void {
  const { searchParams } = new URL(request.url ?? "/", "http://simulator");
  const file = phone.file(searchParams.get("id") ?? "");
  if (file === null) throw new RefusedError(404, "There is no such file.");
  response.writeHead(200, {
    "content-type": file.mime,
    "content-length": file.bytes.length,
    "cache-control": "private, max-age=3600",
    ...(/^(image|audio)\//.test(file.mime) ? {} : { "content-disposition": "attachment" }),
  });
  response.end(file.bytes);
}

async function takeDelivery(
  log: WebhookLog,
  name: string,
  exchange: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { request, response } = exchange;
  log.receive({ name, headers: request.headers, body: await readBody(request, LARGEST_BODY) });
  answerJson(response, 200, { ok: true });
}

function stateOf({ phone, shop, log }: RouteParts) {
  return {
    owner: phone.owner,
    chats: phone.chats(),
    shop: shop.state(),
    deliveries: log.list(),
  };
}

/** The state and what follows it come by one stream: asked for apart, it could overtake a change and undo it on the page. */
function openStream(parts: RouteParts, response: ServerResponse): void {
  const { phone, shop, log, streams } = parts;
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  const send = (event: string, data: unknown): void =>
    void response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  send("ready", stateOf(parts));
  const ends = [
    phone.listen((change) => send("phone", change)),
    shop.listen((state) => send("shop", state)),
    log.listen((delivery) => send("delivery", delivery)),
  ];
  const beat = setInterval(() => response.write(": beat\n\n"), KEEP_ALIVE_MS);
  beat.unref();
  streams.add(response);
  response.on("close", () => {
    clearInterval(beat);
    streams.delete(response);
    for (const end of ends) end();
  });
}

async function act(phone: Phone, kind: string, request: IncomingMessage): Promise<void> {
  const { chat, ...deed } = await readDeed(deedShape, kind, request);
  await refuseFaults(() => phone.act(chatShape.parse(chat), deedShape.parse({ ...deed, kind })));
}

async function actForShop(shop: ShopPhone, kind: string, request: IncomingMessage): Promise<void> {
  const deed = await readDeed(shopShape, kind, request);
  await refuseFaults(() => shop.act(shopShape.parse({ ...deed, kind })));
}

const chatShape = z.string({ error: "'chat' names the chat." }).max(64);
const bodyShape = z.record(z.string(), z.unknown());

/** The body's fields. Refuses what none of the shapes is called, and a body that is no JSON. */
async function readDeed(
  shape: typeof deedShape | typeof shopShape,
  kind: string,
  request: IncomingMessage,
): Promise<Record<string, unknown>> {
  if (!shape.options.some((option) => option.shape.kind.value === kind))
    throw new RefusedError(404, `There is no action '${kind}' here.`);
  demandType(request, "application/json");
  const body = (await readBody(request, LARGEST_BODY)).toString("utf8");
  return refuseFaults(() => bodyShape.parse(JSON.parse(body)));
}

async function takeFile(phone: Phone, request: IncomingMessage): Promise<void> {
  demandType(request, "application/octet-stream");
  const { searchParams } = new URL(request.url ?? "/", "http://simulator");
  const bytes = await readBody(request, LARGEST_FILE);
  await refuseFaults(async () => {
    if (bytes.length === 0) throw new Error("The file is empty.");
    const { chat, ...file } = Object.fromEntries(searchParams);
    const deed = { kind: "file", file: fileShape.parse(file), bytes } as const;
    await phone.act(chatShape.parse(chat), deed);
  });
}

/** A web page of another origin can't send these types unasked, so it can't act on this phone. */
function demandType(request: IncomingMessage, type: string): void {
  if (!(request.headers["content-type"] ?? "").startsWith(type))
    throw new RefusedError(415, `Send ${type}.`);
}

async function refuseFaults<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new RefusedError(400, describe(error));
  }
}

async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > most) throw new RefusedError(413, `The body is larger than ${most} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function secure(response: ServerResponse): void {
  response.setHeader("content-security-policy", PAGE_POLICY);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cross-origin-opener-policy", "same-origin");
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.length,
    "cache-control": "no-store",
  });
  response.end(bytes);
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
