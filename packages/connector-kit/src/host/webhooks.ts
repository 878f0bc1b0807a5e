// The webhook doors: `POST /hooks/{channel}/{connection}`, and `POST /hooks/{channel}` for providers that know one URL for all accounts. Verified, cut, committed, and only then answered 200.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { loadConnection } from "@thikaa/db";
import type { OwnedConnection } from "@thikaa/db";
import { answerJson, notFound, readBody, Trouble } from "@thikaa/runtime";
import { fromWireId } from "@thikaa/schema";
import type { WebhookFacet } from "../connector.ts";
import { openCredentials, openWebhookSecret } from "./context.ts";
import { hostLimits } from "./host-config.ts";
import type { HostParts } from "./parts.ts";
import { routeItems, storeRouted } from "./webhook-routing.ts";

type WebhookParts = Pick<
  HostParts,
  "connector" | "database" | "vault" | "receiver" | "log" | "measures"
>;

const path = /^\/hooks\/([a-z]{2})(?:\/(con_[0-9A-Za-z]{26}))?\/?(?:\?.*)?$/;

/** Answers the app's own paths; any process of the app can take any connection's webhook. */
export function createWebhookListener(parts: WebhookParts): RequestListener {
  const trouble = new Trouble(
    parts.log,
    "webhooks could not be stored; the provider posts them again",
  );
  return (request, response) => {
    void answer(parts, request, response).catch((error: unknown) => {
      // PostgreSQL is away, or a fault of ours: the provider keeps the update and posts it again.
      trouble.failed(error);
      if (response.headersSent) return response.destroy();
      response.setHeader("Retry-After", "5");
      refuse(parts, response, {
        status: 503,
        error: "unavailable",
        message: "This could not be stored just now. Send it again.",
      });
    });
  };
}

async function answer(
  parts: WebhookParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, word, wireId] = path.exec(request.url ?? "") ?? [];
  const { webhook, channels } = parts.connector;
  const channel = channels.find((code) => code === word);
  const id = wireId === undefined ? null : fromWireId("connection", wireId);
  if (webhook === undefined || channel === undefined || (wireId !== undefined && id === null))
    return notFound(request, response);
  if (request.method !== "POST") {
    response.setHeader("Allow", "POST");
    return refuse(parts, response, {
      status: 405,
      error: "method_not_allowed",
      message: "Updates are posted here.",
    });
  }
  const body = await readBody(request, hostLimits.webhookBodyBytes);
  if (body === null)
    return refuse(parts, response, {
      status: 413,
      error: "payload_too_large",
      message: "An update is at most 1 MiB.",
    });
  const door = id === null ? null : await loadConnection(parts.database, id);
  if (id !== null && (door === null || door.channel !== channel || door.desired !== "on"))
    return refuse(parts, response, {
      status: 404,
      error: "not_found",
      message: "There is no such connection.",
    });
  const proves = proofOf(parts, webhook, { request, body });
  const items = door === null || proves(door) ? webhook.split(body) : null;
  const routed = items === null ? null : await routeItems(parts, { channel, door, items, proves });
  if (items === null || routed === null)
    return refuse(parts, response, {
      status: 401,
      error: "unauthorized",
      message: "What proves that a post is the provider's is missing or wrong.",
    });
  await storeRouted(parts, { channel, door, routed });
  acknowledge(response, webhook.answer?.(items) ?? null);
}

function acknowledge(response: ServerResponse, answer: string | null): void {
  const type = answer === null ? {} : { "Content-Type": "application/json" };
  response
    .writeHead(200, { ...type, "Content-Length": Buffer.byteLength(answer ?? "") })
    .end(answer ?? undefined);
}

/** Whether a request is the provider's, by the secrets of one connection. */
function proofOf(
  parts: WebhookParts,
  webhook: WebhookFacet,
  { request, body }: { request: IncomingMessage; body: Buffer },
): (connection: OwnedConnection) => boolean {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  );
  return (connection) =>
    webhook.verify(
      { method: request.method ?? "", headers, body },
      {
        webhookSecret: openWebhookSecret(parts, connection),
        credentials: openCredentials(parts, connection),
      },
    );
}

function refuse(
  parts: WebhookParts,
  response: ServerResponse,
  refusal: { status: number; error: string; message: string },
): void {
  parts.measures.refusedWebhooks.inc({
    channel: parts.connector.channels.join(","),
    status: refusal.status,
  });
  // A body that was not read to its end can't be followed by another request.
  if (refusal.status === 413) response.setHeader("Connection", "close");
  answerJson(response, refusal.status, {
    ok: false,
    error: refusal.error,
    message: refusal.message,
  });
}
