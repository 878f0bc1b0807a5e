// The webhook door: `POST /hooks/{channel}/{connection}`. Verified, cut, committed, and only then answered 200.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { loadConnection } from "@thikaa/db";
import type { OwnedConnection } from "@thikaa/db";
import { answerJson, notFound, readBody, Trouble } from "@thikaa/runtime";
import { fromWireId } from "@thikaa/schema";
import type { WebhookFacet } from "../connector.ts";
import { openCredentials, openWebhookSecret } from "./context.ts";
import { hostLimits } from "./host-config.ts";
import type { HostParts } from "./parts.ts";

type WebhookParts = Pick<
  HostParts,
  "connector" | "database" | "vault" | "receiver" | "log" | "measures"
>;

const path = /^\/hooks\/([a-z]{2})\/(con_[0-9A-Za-z]{26})\/?(?:\?.*)?$/;

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
  const [, channel, wireId] = path.exec(request.url ?? "") ?? [];
  const { webhook } = parts.connector;
  const id = wireId === undefined ? null : fromWireId("connection", wireId);
  if (webhook === undefined || id === null) return notFound(request, response);
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
  const row = await loadConnection(parts.database, id);
  if (
    row === null ||
    row.channel !== channel ||
    row.desired !== "on" ||
    !parts.connector.channels.includes(row.channel)
  ) {
    return refuse(parts, response, {
      status: 404,
      error: "not_found",
      message: "There is no such connection.",
    });
  }
  if (!isVerified(parts, webhook, { row, request, body }))
    return refuse(parts, response, {
      status: 401,
      error: "unauthorized",
      message: "The secret of this connection's webhook is missing or wrong.",
    });
  const items = webhook.split(body);
  await parts.receiver.receive({ id: row.id, storeId: row.store_id, channel: row.channel }, items);
  acknowledge(response, webhook.answer?.(items) ?? null);
}

function acknowledge(response: ServerResponse, answer: string | null): void {
  const type = answer === null ? {} : { "Content-Type": "application/json" };
  response
    .writeHead(200, { ...type, "Content-Length": Buffer.byteLength(answer ?? "") })
    .end(answer ?? undefined);
}

function isVerified(
  parts: WebhookParts,
  webhook: WebhookFacet,
  post: { row: OwnedConnection; request: IncomingMessage; body: Buffer },
): boolean {
  const { row, request, body } = post;
  const secrets = {
    webhookSecret: openWebhookSecret(parts, row),
    credentials: openCredentials(parts, row),
  };
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  );
  return webhook.verify({ method: request.method ?? "", headers, body }, secrets);
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
