// The control API: what a test or a page in another process does with the stand-in, as JSON over HTTP.
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { answerJson, openEventStream } from "../http/answer.ts";
import { readBody } from "../http/body.ts";
import type { TelegramStandIn } from "./contract.ts";
import { answerControlFiles } from "./control-files.ts";
import type { TelegramFault } from "./faults.ts";

type ControlAnswer = { status?: number; body: unknown };
type ControlRoute = (
  standIn: TelegramStandIn,
  input: { body: unknown; query: URLSearchParams },
) => ControlAnswer;

const LARGEST_BODY = 1024 * 1024;
const id = z.number().int().positive();
const botShape = z.strictObject({
  token: z.string().optional(),
  username: z.string().optional(),
  name: z.string().optional(),
});
const personShape = z.strictObject({
  id,
  firstName: z.string().min(1),
  lastName: z.string().optional(),
  username: z.string().optional(),
  languageCode: z.string().optional(),
});
const pairShape = z.strictObject({ personId: id, botId: id });
const saidShape = z.strictObject({
  personId: id,
  botId: id,
  text: z.string(),
  replyTo: id.optional(),
});
const startShape = z.strictObject({ personId: id, botId: id, payload: z.string().optional() });
const editShape = z.strictObject({ personId: id, botId: id, messageId: id, text: z.string() });
const pressShape = z.strictObject({ personId: id, botId: id, messageId: id, data: z.string() });
const placeShape = z.strictObject({
  personId: id,
  botId: id,
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  venue: z.strictObject({ title: z.string().min(1), address: z.string().min(1) }).optional(),
  replyTo: id.optional(),
});
const cardShape = z.strictObject({
  personId: id,
  botId: id,
  phoneNumber: z.string().min(1),
  firstName: z.string().min(1),
  lastName: z.string().optional(),
  userId: id.optional(),
});
const reactionShape = z.strictObject({
  personId: id,
  botId: id,
  messageId: id,
  emoji: z.string().min(1).nullable(),
});
const faultScope = {
  botId: id.optional(),
  method: z.string().optional(),
  chatId: z.union([z.number(), z.string()]).optional(),
  times: z.union([z.number().int().positive(), z.literal("always")]).optional(),
  delayMs: z.number().nonnegative().optional(),
};
const faultShape: z.ZodType<TelegramFault> = z.discriminatedUnion("kind", [
  z.strictObject({
    ...faultScope,
    kind: z.literal("throttled"),
    retryAfter: z.number().int().positive(),
  }),
  z.strictObject({
    ...faultScope,
    kind: z.literal("server_error"),
    status: z.number().int().min(500).max(599).optional(),
    accepted: z.boolean().optional(),
  }),
  z.strictObject({
    ...faultScope,
    kind: z.literal("error"),
    status: z.number().int().min(400).max(599),
    description: z.string(),
  }),
  z.strictObject({ ...faultScope, kind: z.literal("hang"), accepted: z.boolean().optional() }),
  z.strictObject({ ...faultScope, kind: z.literal("reset_before_accept") }),
  z.strictObject({ ...faultScope, kind: z.literal("reset_after_accept") }),
  z.strictObject({ ...faultScope, kind: z.literal("truncated") }),
  z.strictObject({ ...faultScope, kind: z.literal("revoked") }),
  z.strictObject({ ...faultScope, kind: z.literal("delay"), delayMs: z.number().nonnegative() }),
]);

const done: ControlAnswer = { body: { ok: true } };

const ROUTES: Readonly<Record<string, ControlRoute>> = {
  "GET bots": (standIn) => ({ body: standIn.bots() }),
  "POST bots": (standIn, { body }) => ({ status: 201, body: standIn.addBot(botShape.parse(body)) }),
  "POST revoke": (standIn, { body }) => (
    standIn.revokeToken(z.strictObject({ botId: id }).parse(body).botId),
    done
  ),
  "GET people": (standIn) => ({ body: standIn.people() }),
  "POST people": (standIn, { body }) => (
    standIn.addPerson(personShape.parse(body)),
    { status: 201, body: { ok: true } }
  ),
  "POST chats": (standIn, { body }) => (standIn.openChat(pairShape.parse(body)), done),
  "POST says": (standIn, { body }) => ({ body: standIn.personSays(saidShape.parse(body)) }),
  "POST starts": (standIn, { body }) => ({ body: standIn.personStarts(startShape.parse(body)) }),
  "POST edits": (standIn, { body }) => ({ body: standIn.personEdits(editShape.parse(body)) }),
  "POST presses": (standIn, { body }) => ({
    body: { callbackQueryId: standIn.personPresses(pressShape.parse(body)) },
  }),
  "POST places": (standIn, { body }) => ({
    body: standIn.personSendsPlace(placeShape.parse(body)),
  }),
  "POST cards": (standIn, { body }) => ({ body: standIn.personSendsCard(cardShape.parse(body)) }),
  "POST reactions": (standIn, { body }) => ({
    body: { updateId: standIn.personReacts(reactionShape.parse(body)) },
  }),
  "POST blocks": (standIn, { body }) => (standIn.personBlocks(pairShape.parse(body)), done),
  "POST unblocks": (standIn, { body }) => (standIn.personUnblocks(pairShape.parse(body)), done),
  "GET messages": (standIn, { query }) => ({
    body: standIn.messagesWith(Number(query.get("personId")), Number(query.get("botId"))),
  }),
  "GET record": (standIn, { query }) => ({ body: readRecord(standIn, query) }),
  "DELETE record": (standIn) => (standIn.record.clear(), done),
  "GET faults": (standIn) => ({ body: standIn.faults.list() }),
  "POST faults": (standIn, { body }) => ({
    status: 201,
    body: { id: standIn.faults.add(faultShape.parse(body)).id },
  }),
  "DELETE faults": (standIn) => (standIn.faults.clear(), done),
  "GET clock": (standIn) => ({ body: { now: standIn.clock.now() } }),
  "POST clock": (standIn, { body }) => {
    standIn.clock.advance(
      z.strictObject({ advanceMs: z.number().nonnegative() }).parse(body).advanceMs,
    );
    return { body: { now: standIn.clock.now() } };
  },
};

/** Answers a request under `/stand-in/telegram/`. */
export async function answerControl(
  standIn: TelegramStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const name = url.pathname.slice("/stand-in/telegram/".length);
  if (request.method === "GET" && name === "events") return streamChanges(standIn, response);
  if (name === "files")
    return answerControlFiles(standIn, request, response).catch((error: unknown) =>
      answerJson(response, 400, { ok: false, error: describe(error) }),
    );
  const route = ROUTES[`${request.method} ${name}`];
  if (!route)
    return answerJson(response, 404, {
      ok: false,
      error: `There is no ${request.method} ${url.pathname} here.`,
    });
  // A web page of another origin can't send this type unasked, so it can't drive a stand-in on this machine.
  const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
  if (request.method === "POST" && !isJson)
    return answerJson(response, 415, { ok: false, error: "Send application/json." });
  try {
    const text = (await readBody(request, LARGEST_BODY)).toString("utf8");
    const { status = 200, body } = route(standIn, {
      body: text === "" ? {} : JSON.parse(text),
      query: url.searchParams,
    });
    answerJson(response, status, body);
  } catch (error) {
    answerJson(response, 400, { ok: false, error: describe(error) });
  }
}

function streamChanges(standIn: TelegramStandIn, response: ServerResponse): void {
  const send = openEventStream(response);
  const end = standIn.onChange((change) => send(change.type, change));
  response.on("close", end);
}

function readRecord(standIn: TelegramStandIn, query: URLSearchParams): unknown {
  const number = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) : undefined;
  const botId = number("botId");
  return {
    calls: standIn.record.calls({
      botId,
      method: query.get("method") ?? undefined,
      chatId: query.get("chatId") ?? undefined,
      after: number("after"),
    }),
    webhookAttempts: standIn.record.webhookAttempts(botId),
    overlappingPolls: botId === undefined ? null : standIn.record.overlappingPolls(botId),
  };
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
