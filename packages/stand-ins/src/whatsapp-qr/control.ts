// The control API: what a test or a page in another process does with the stand-in, as JSON over HTTP.
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { answerJson, openEventStream } from "../http/answer.ts";
import { readBody } from "../http/body.ts";
import type { WhatsAppWebStandIn } from "./contract.ts";
import { answerControlFiles } from "./control-files.ts";
import * as shapes from "./control-shapes.ts";

export const CONTROL_PATH = "/stand-in/whatsapp-web/";

type ControlAnswer = { status?: number; body: unknown };
type ControlRoute = (
  standIn: WhatsAppWebStandIn,
  input: { body: unknown; query: URLSearchParams },
) => ControlAnswer | Promise<ControlAnswer>;

const LARGEST_BODY = 1024 * 1024;
const done: ControlAnswer = { body: { ok: true } };

const ROUTES: Readonly<Record<string, ControlRoute>> = {
  "GET about": ({ socketUrl, rootPublicKey, certificate }) => ({
    body: {
      socketUrl,
      rootPublicKey: Buffer.from(rootPublicKey).toString("base64"),
      certificate,
    },
  }),
  "GET phones": (standIn) => ({ body: standIn.phones() }),
  "POST phones": (standIn, { body }) => ({
    status: 201,
    body: standIn.addPhone(shapes.newPhone.parse(body)),
  }),
  "POST settings": (standIn, { body }) => {
    const { phone, ...settings } = shapes.settings.parse(body);
    standIn.setPhone(phone, settings);
    return done;
  },
  "POST scans": async (standIn, { body }) => ({
    status: 201,
    body: await standIn.scan(shapes.scan.parse(body)),
  }),
  "POST codes": async (standIn, { body }) => ({
    status: 201,
    body: await standIn.enterCode(shapes.code.parse(body)),
  }),
  "POST refreshes": (standIn, { body }) => (
    standIn.refreshPairing(shapes.refresh.parse(body).qr),
    done
  ),
  "POST expiries": (standIn) => (standIn.expireCodes(), done),
  "POST unlinks": (standIn, { body }) => (standIn.unlink(shapes.unlink.parse(body)), done),
  "POST disconnects": (standIn, { body }) => (
    standIn.disconnect(shapes.disconnect.parse(body)),
    done
  ),
  "POST messages": async (standIn, { body }) => ({
    status: 201,
    body: await standIn.send(shapes.message.parse(body)),
  }),
  "GET messages": (standIn, { query }) => ({
    body: standIn.messages(query.get("phone") ?? "", query.get("chat") ?? ""),
  }),
  "POST reads": (standIn, { body }) => (standIn.read(shapes.read.parse(body)), done),
  "POST typing": (standIn, { body }) => (standIn.type(shapes.typing.parse(body)), done),
  "POST forgets": (standIn, { body }) => (standIn.forgetSessions(shapes.forget.parse(body)), done),
  "POST reinstalls": (standIn, { body }) => (
    standIn.reinstall(shapes.reinstall.parse(body).phone),
    done
  ),
  "POST groups": (standIn, { body }) => ({
    status: 201,
    body: standIn.addGroup(shapes.group.parse(body)),
  }),
  "GET record": (standIn, { query }) => ({
    body: standIn.record.entries(shapes.recordFilter.parse(Object.fromEntries(query))),
  }),
  "DELETE record": (standIn) => (standIn.record.clear(), done),
  "GET faults": (standIn) => ({ body: standIn.faults.list() }),
  "POST faults": (standIn, { body }) => ({
    status: 201,
    body: { id: standIn.faults.add(shapes.fault.parse(body)).id },
  }),
  "DELETE faults": (standIn, { query }) => {
    const id = query.get("id");
    if (id === null) standIn.faults.clear();
    else standIn.faults.remove(Number(id));
    return done;
  },
  "GET clock": (standIn) => ({ body: { now: standIn.clock.now() } }),
  "POST clock": (standIn, { body }) => {
    standIn.clock.advance(shapes.clock.parse(body).advanceMs);
    return { body: { now: standIn.clock.now() } };
  },
};

/** Answers a request under `CONTROL_PATH`. */
export async function answerControl(
  standIn: WhatsAppWebStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const name = url.pathname.slice(CONTROL_PATH.length);
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
    const given: unknown = text === "" ? {} : JSON.parse(text);
    const input = { body: given, query: url.searchParams };
    const { status = 200, body } = await route(standIn, input);
    answerJson(response, status, body);
  } catch (error) {
    answerJson(response, 400, { ok: false, error: describe(error) });
  }
}

function streamChanges(standIn: WhatsAppWebStandIn, response: ServerResponse): void {
  const send = openEventStream(response);
  const end = standIn.onChange((change) => send(change.type, change));
  response.on("close", end);
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
