// The OpenAPI 3.1 document of the Messaging API and of its webhooks, made from the zod schemas and the error table.
import {
  actions,
  cancelAnswer,
  changeAnswer,
  channelCodes,
  deleteBody,
  editBody,
  errorCodes,
  errorTable,
  eventsAnswer,
  limits,
  messageAnswer,
  reactBody,
  readBody,
  sendAnswer,
  sendBody,
  statusAnswer,
  typingAnswer,
  typingBody,
  webhookBody,
} from "@thikaa/schema";
import type { Action, ErrorCode } from "@thikaa/schema";
import { z } from "zod";
import { createDocument } from "zod-openapi";
import type {
  ZodOpenApiOperationObject,
  ZodOpenApiResponseObject,
  ZodOpenApiResponsesObject,
} from "zod-openapi";

const errorBodySchema = z
  .object({
    ok: z.literal(false),
    error: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
    message: z.string().meta({
      description:
        "What is wrong and what to do, in English, or in Arabic with `Accept-Language: ar`.",
    }),
    request_id: z.string(),
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Error" });

const rateHeaders = {
  "X-Request-Id": {
    description: "The request's id; yours when you sent a plain one.",
    schema: { type: "string" },
  },
  "RateLimit-Policy": {
    description: `The key's limit and its window in seconds.`,
    schema: { type: "string" },
  },
  RateLimit: {
    description: "Requests left, and seconds until the window ends.",
    schema: { type: "string" },
  },
  "X-RateLimit-Limit": { schema: { type: "integer" } },
  "X-RateLimit-Remaining": { schema: { type: "integer" } },
  "X-RateLimit-Reset": {
    description: "When the window ends, in seconds since 1970.",
    schema: { type: "integer" },
  },
} as const;

const everyAction: readonly ErrorCode[] = [
  "unknown_action",
  "method_not_allowed",
  "missing_api_key",
  "invalid_api_key",
  "rate_limited",
  "plan_not_eligible",
  "internal_error",
  "unavailable",
];
const sendOnly: readonly ErrorCode[] = [
  "idempotency_mismatch",
  "idempotency_in_progress",
  "insufficient_balance",
  "invalid_request",
  "invalid_recipient",
  "payload_too_large",
  "unsupported_media_type",
  "channel_not_allowed",
  "channel_not_connected",
  "capability_unsupported",
  "window_closed",
  "conversation_not_open",
  "not_found",
];
const changeOnly: readonly ErrorCode[] = [
  "idempotency_mismatch",
  "idempotency_in_progress",
  "insufficient_balance",
  "invalid_request",
  "payload_too_large",
  "unsupported_media_type",
  "channel_not_allowed",
  "capability_unsupported",
  "not_found",
  "conflict",
];

const typingOnly: readonly ErrorCode[] = [
  "insufficient_balance",
  "invalid_request",
  "invalid_recipient",
  "payload_too_large",
  "unsupported_media_type",
  "channel_not_allowed",
  "channel_not_connected",
  "capability_unsupported",
];

/** Builds the document; `publicUrl` becomes its server. */
export function buildOpenApi(publicUrl: string | null): ReturnType<typeof createDocument> {
  return createDocument({
    openapi: "3.1.1",
    info: {
      title: "Thikaa Messaging API",
      version: "1",
      description:
        "Send and receive on every channel. Accepted means delivered, or a reason why not.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: publicUrl ?? "/" }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [{ name: "messages" }, { name: "instance" }, { name: "events" }],
    // An action is a query parameter, and a path's parameters can't choose an operation in OpenAPI: each action is a path with its query.
    paths: Object.fromEntries(
      operations().map(({ action, operation }) => [
        `/{store}/api/messaging/?action=${action}`,
        { [actions[action].toLowerCase()]: operation },
      ]),
    ),
    webhooks: { event: { post: webhookOperation() } },
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
    },
  });
}

/** The document as the reference keeps it: of no house in particular. */
export function printOpenApi(): string {
  return `${JSON.stringify(buildOpenApi(null), null, 2)}\n`;
}

interface Operation {
  readonly action: Action;
  readonly operation: ZodOpenApiOperationObject;
}

function operations(): Operation[] {
  const message = {
    tag: "messages",
    query: z.object({ id: messageId }),
    errors: ["invalid_request", "not_found"] as const,
  };
  return [
    { action: "send", operation: sendOperation() },
    {
      action: "status",
      operation: readOperation({
        id: "status",
        tag: "instance",
        summary: "The key, its balance and its connections",
        answer: statusAnswer,
      }),
    },
    {
      action: "message",
      operation: readOperation({
        ...message,
        id: "message",
        summary: "Where a message stands, and how it got there",
        answer: messageAnswer,
      }),
    },
    {
      action: "events",
      operation: readOperation({
        id: "events",
        tag: "events",
        summary: "The store's events after a number",
        answer: eventsAnswer,
        query: eventsQuery,
        errors: ["invalid_request"],
      }),
    },
    {
      action: "cancel",
      operation: readOperation({
        ...message,
        id: "cancel",
        summary: "Take a waiting message back",
        answer: cancelAnswer,
      }),
    },
    ...changes(),
    { action: "typing", operation: typingOperation() },
  ];
}

function changes(): Operation[] {
  return [
    {
      action: "edit",
      operation: changeOperation({
        id: "edit",
        summary: "Change the text of a message that was sent",
        description:
          "The edit is a message of its own, free of charge, which waits behind the message that it changes. A text that had to be split is changed piece by piece; pieces that are no longer needed are deleted.",
        body: editBody,
        example: { id: "msg_01JD0000000000000000000000", message: "تم تغيير الموعد إلى الغد" },
      }),
    },
    {
      action: "delete",
      operation: changeOperation({
        id: "delete",
        summary: "Take back a message that was sent",
        description:
          "The deletion is a message of its own, free of charge. Asking again gives the same one. The provider may refuse what is too old.",
        body: deleteBody,
        example: { id: "msg_01JD0000000000000000000000" },
      }),
    },
    {
      action: "react",
      operation: changeOperation({
        id: "react",
        summary: "React to a message with an emoji, or take the reaction back",
        description:
          "The reaction is a message of its own, free of charge, which waits behind what was sent to the same recipient before. A message has one reaction of yours: a new one replaces it. Of a message in several parts the first carries it.",
        body: reactBody,
        example: { message_id: "msg_01JD0000000000000000000000", emoji: "👍" },
      }),
    },
    {
      action: "read",
      operation: changeOperation({
        id: "read",
        summary: "Mark a message that came in as read",
        description: `Marks the message, and those before it in the conversation that are not marked yet (the newest ${limits.readAtOnce}), as read at the provider. The mark is a message of its own, free of charge; asking again gives the same one. Where the account's own privacy keeps read receipts back, its other devices learn of it and the person does not.`,
        body: readBody,
        example: { message_id: "msg_01JD0000000000000000000000" },
      }),
    },
  ];
}

function webhookOperation(): ZodOpenApiOperationObject {
  return {
    operationId: "webhook",
    tags: ["events"],
    summary: "An event, signed",
    description:
      "Answer 2xx. `X-Thikaa-Signature` is `sha256=` and the hex HMAC-SHA256 of the body, keyed with the whole secret. The `webhook-*` headers follow Standard Webhooks.",
    requestBody: { content: { "application/json": { schema: webhookBody } } },
    responses: { 200: { description: "Taken. Anything else is tried again." } },
  };
}

const store = z.object({ store: z.string().meta({ description: "The store's slug." }) });
const messageId = z.string().meta({ description: "The message_id that send answered." });
const eventsQuery = z.object({
  after: z
    .int()
    .min(0)
    .optional()
    .meta({ description: "Events with a greater sequence; 0 begins at the first." }),
  limit: z.int().min(1).max(limits.eventsPage.max).optional(),
});

const idempotencyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .max(limits.idempotencyKeyLength)
    .optional()
    .meta({ description: "The same key and body give the same message, for 72 hours." }),
});

interface ChangeOperation {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly body: z.ZodObject;
  readonly example: object;
}

function changeOperation(operation: ChangeOperation): ZodOpenApiOperationObject {
  return {
    operationId: operation.id,
    tags: ["messages"],
    summary: operation.summary,
    description: operation.description,
    requestParams: { path: store, header: idempotencyHeader },
    requestBody: {
      required: true,
      content: { "application/json": { schema: operation.body, example: operation.example } },
    },
    responses: responses(changeAnswer, [...everyAction, ...changeOnly]),
  };
}

function sendOperation(): ZodOpenApiOperationObject {
  return {
    operationId: "send",
    tags: ["messages"],
    summary: "Send a message",
    requestParams: { path: store, header: idempotencyHeader },
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: sendBody,
          example: {
            channel: channelCodes[0],
            to: "9647701234567",
            message: "تحديث الوظائف الأسبوعي 👇",
          },
        },
      },
    },
    responses: responses(sendAnswer, [...everyAction, ...sendOnly]),
  };
}

function typingOperation(): ZodOpenApiOperationObject {
  return {
    operationId: "typing",
    tags: ["messages"],
    summary: "Show a person that somebody writes",
    description:
      "Shown for some seconds, or until a message arrives; free of charge, kept nowhere and never tried again. A channel that can't show it answers `capability_unsupported`.",
    requestParams: { path: store },
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: typingBody,
          example: { channel: channelCodes[0], to: "9647701234567" },
        },
      },
    },
    responses: responses(typingAnswer, [...everyAction, ...typingOnly]),
  };
}

interface ReadOperation {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly answer: z.ZodType;
  readonly query?: z.ZodObject;
  readonly errors?: readonly ErrorCode[];
}

function readOperation(operation: ReadOperation): ZodOpenApiOperationObject {
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    requestParams:
      operation.query === undefined ? { path: store } : { path: store, query: operation.query },
    responses: responses(operation.answer, [...everyAction, ...(operation.errors ?? [])]),
  };
}

/** One response a status: the errors of the table that share it, with what to do next. */
function responses(answer: z.ZodType, errors: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(errors, (code) => errorTable[code].status);
  const failures = [...byStatus].map(([status, codes]): [string, ZodOpenApiResponseObject] => [
    String(status),
    {
      description: codes
        .map((code) => `\`${code}\`: ${errorTable[code].en} ${errorTable[code].todo}`)
        .join("\n\n"),
      headers:
        status === 429 || status === 503 || status === 409
          ? {
              "Retry-After": {
                description: "Seconds to wait.",
                schema: { type: "integer" as const },
              },
            }
          : {},
      content: { "application/json": { schema: errorBodySchema } },
    },
  ]);
  const done = {
    description: "Done.",
    headers: rateHeaders,
    content: { "application/json": { schema: answer } },
  };
  return Object.fromEntries<ZodOpenApiResponseObject>([["200", done], ...failures]);
}
