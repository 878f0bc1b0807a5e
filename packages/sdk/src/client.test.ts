// The client against a real server with scripted answers: what it sends, what it tries again, what its errors say.
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { AdminClient } from "./admin.ts";
import { ThikaaClient } from "./client.ts";
import type { ThikaaClientConfig } from "./client.ts";
import { ThikaaError } from "./errors.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that gives these answers in order, and what it saw. */
async function serve(
  ...answers: ((response: ServerResponse) => void)[]
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const url = await listen((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      (answers[Math.min(seen.length, answers.length) - 1] ?? reset)(response);
    });
  });
  return { url, seen };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response
      .writeHead(status, {
        "Content-Type": "application/json",
        "X-Request-Id": "req_1",
        ...headers,
      })
      .end(JSON.stringify(body));
const reset = (response: ServerResponse): void => void response.socket?.resetAndDestroy();
const failed = (error: string, extra: object = {}) => ({
  ok: false,
  error,
  message: `About ${error}.`,
  request_id: "req_1",
  ...extra,
});

const apiKey = "tk_live_secret";
const message = { channel: "tg", to: "700000001", message: "مرحبا" } as const;
const accepted = {
  ok: true,
  message_id: "msg_1",
  channel: "tg",
  to: "700000001",
  status: "queued",
} as const;
const client = (baseUrl: string, change: Partial<ThikaaClientConfig> = {}) =>
  new ThikaaClient({ baseUrl, store: "demo", apiKey, ...change });

async function failure(call: Promise<unknown>): Promise<ThikaaError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ThikaaError))
    throw new Error("The call should have thrown a ThikaaError.", { cause: error });
  return error;
}

test("each call goes to its action with its method, the key in the header and never in the URL", async () => {
  const { url, seen } = await serve(
    json(200, { ok: true, events: [], has_more: false, next_after: 7 }),
  );
  const thikaa = client(`${url}/`);
  await thikaa.send(message);
  await thikaa.status();
  await thikaa.message("msg_1");
  await thikaa.events({ after: 7, limit: 10 });
  await thikaa.cancel("msg_1");
  await thikaa.react("msg_1", "👍");
  await thikaa.markRead("msg_1", { idempotencyKey: "mine" });
  const base = "/demo/api/messaging/?action=";
  expect(seen.map(({ line }) => line)).toEqual([
    `POST ${base}send`,
    `GET ${base}status`,
    `GET ${base}message&id=msg_1`,
    `GET ${base}events&after=7&limit=10`,
    `POST ${base}cancel&id=msg_1`,
    `POST ${base}react`,
    `POST ${base}read`,
  ]);
  expect(seen.every(({ headers }) => headers.authorization === `Bearer ${apiKey}`)).toBe(true);
  expect(JSON.parse(seen[0]?.body ?? "")).toEqual(message);
  expect(seen[0]?.headers["content-type"]).toBe("application/json");
  const [reaction, mark] = seen.slice(-2);
  expect(JSON.parse(reaction?.body ?? "")).toEqual({ message_id: "msg_1", emoji: "👍" });
  expect(reaction?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.parse(mark?.body ?? "")).toEqual({ message_id: "msg_1" });
  expect(mark?.headers["idempotency-key"]).toBe("mine");
});

test("send tries again after 503, 429 and a broken connection with the same Idempotency-Key and body", async () => {
  const { url, seen } = await serve(
    json(503, failed("unavailable"), { "Retry-After": "0" }),
    reset,
    json(429, failed("rate_limited"), { "Retry-After": "0" }),
    json(200, accepted),
  );
  expect(await client(url).send(message)).toEqual(accepted);
  expect(seen).toHaveLength(4);
  expect(new Set(seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  expect(seen[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
});

test("two sends carry different keys unless the caller gives one", async () => {
  const { url, seen } = await serve(json(200, accepted));
  await client(url).send(message);
  await client(url).send(message);
  await client(url).send(message, { idempotencyKey: "order-17" });
  const keys = seen.map(({ headers }) => headers["idempotency-key"]);
  expect(keys[0]).not.toBe(keys[1]);
  expect(keys[2]).toBe("order-17");
});

test("tries are bounded in number and in time", async () => {
  const often = await serve(json(503, failed("unavailable"), { "Retry-After": "0" }));
  expect(await failure(client(often.url, { tries: 3 }).send(message))).toMatchObject({
    code: "unavailable",
    status: 503,
  });
  expect(often.seen).toHaveLength(3);
  const late = await serve(json(429, failed("rate_limited"), { "Retry-After": "58" }));
  expect(await failure(client(late.url, { retryWithinMs: 5_000 }).send(message))).toMatchObject({
    code: "rate_limited",
    retryAfter: 58,
  });
  expect(late.seen).toHaveLength(1);
});

test("an error of the table is thrown with its code, status, request id and details, and is not tried again", async () => {
  const details = [{ path: "to", message: "is missing" }];
  const { url, seen } = await serve(json(400, failed("invalid_request", { details })));
  const error = await failure(client(url).send(message));
  expect(error).toMatchObject({
    code: "invalid_request",
    status: 400,
    requestId: "req_1",
    details,
    message: "About invalid_request.",
    retryable: false,
  });
  expect(error.todo).toBe("Correct what `details` names.");
  expect(seen).toHaveLength(1);
});

test("nobody there, a silent server and a page that is none of ours are told apart, without the key", async () => {
  const nobody = await failure(client("http://127.0.0.1:1", { tries: 1 }).status());
  const silent = await failure(
    client(await listen(() => {}), { tries: 1, timeoutMs: 100 }).status(),
  );
  const page = await failure(
    client((await serve((response) => void response.end("<html>"))).url).status(),
  );
  const proxy = await failure(
    client((await serve((response) => void response.writeHead(404).end("<html>"))).url).status(),
  );
  expect([nobody.code, silent.code, page.code, proxy.code]).toEqual([
    "network_error",
    "network_error",
    "bad_answer",
    "bad_answer",
  ]);
  expect(silent.message).toContain("within 100 ms");
  for (const error of [nobody, silent, page, proxy])
    expect(`${error.stack} ${String(error.cause)}`).not.toContain(apiKey);
});

test("a redirect is not followed with the key", async () => {
  const target = await serve(json(200, accepted));
  const { url } = await serve(
    (response) => void response.writeHead(307, { Location: `${target.url}/` }).end(),
  );
  expect((await failure(client(url, { tries: 1 }).status())).code).toBe("network_error");
  expect(target.seen).toHaveLength(0);
});

test("the caller's signal ends a call, also while it waits to try again", async () => {
  const { url } = await serve(json(503, failed("unavailable"), { "Retry-After": "30" }));
  await expect(
    client(url).send(message, { signal: AbortSignal.timeout(150) }),
  ).rejects.toMatchObject({ name: "TimeoutError" });
});

test("settings that can't work are refused at once, without repeating the key", () => {
  expect(() => client("example.com")).toThrow(/baseUrl/);
  expect(() => client("https://example.com", { store: "../admin" })).toThrow(/store/);
  expect(() => client("https://example.com", { apiKey: "bad\nkey" })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("bad") as string }) as Error,
  );
});

test("follow gives every event once over pages, and waits for new ones", async () => {
  const events = (from: number, to: number, more: boolean) => {
    const list = Array.from({ length: to - from + 1 }, (_, index) => ({
      event: "message.status",
      sequence: from + index,
    }));
    return json(200, { ok: true, events: list, has_more: more, next_after: to });
  };
  const empty = json(200, { ok: true, events: [], has_more: false, next_after: 4 });
  const { url, seen } = await serve(
    events(1, 3, true),
    events(4, 4, false),
    empty,
    events(5, 5, false),
  );
  const got: number[] = [];
  for await (const event of client(url).follow({ after: 0, pollMs: 5 })) {
    got.push(event.sequence);
    if (got.length === 5) break;
  }
  expect(got).toEqual([1, 2, 3, 4, 5]);
  expect(seen.map(({ line }) => /after=(\d+)/.exec(line)?.[1])).toEqual(["0", "3", "4", "4"]);
});

test("the admin client requests below its path with its token, once, and never leaves that path", async () => {
  const { url, seen } = await serve(json(201, { slug: "shop" }), json(409, failed("conflict")));
  const admin = new AdminClient({ baseUrl: url, token: "admin-token" });
  expect(await admin.request<{ slug: string }>("POST", "/stores", { slug: "shop" })).toEqual({
    slug: "shop",
  });
  expect(await failure(admin.request("GET", "messages?store=shop&limit=1"))).toMatchObject({
    code: "conflict",
    status: 409,
  });
  expect(seen.map(({ line }) => line)).toEqual([
    "POST /api/admin/v1/stores",
    "GET /api/admin/v1/messages?store=shop&limit=1",
  ]);
  expect(seen[0]?.headers.authorization).toBe("Bearer admin-token");
  await expect(admin.request("GET", "../../../demo")).rejects.toThrow(/below/);
  await expect(admin.request("GET", "https://elsewhere.example/")).rejects.toThrow(/below/);
});

test("a live stream gives its events in order, however its bytes are cut, and goes on after the last", async () => {
  const text =
    ': hello\n\nid: 8\nevent: message.received\ndata: {"a":"كم"}\n\ndata: one\r\ndata: two\r\n\r\n: still here\n\nevent: unfinished\n';
  const { url, seen } = await serve((response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const byte of Buffer.from(text)) response.write(Buffer.from([byte]));
    response.end();
  });
  const admin = new AdminClient({ baseUrl: url, token: "admin-token" });
  const got = [];
  for await (const event of admin.stream("listen?store=demo", { lastEventId: "7" }))
    got.push(event);
  expect(got).toEqual([
    { event: "message.received", data: '{"a":"كم"}', id: "8" },
    { event: "message", data: "one\ntwo", id: "8" },
  ]);
  expect(seen[0]?.headers).toMatchObject({ "last-event-id": "7", accept: "text/event-stream" });
});

test("a refused stream throws the API's error, an open one ends with the signal", async () => {
  const refused = await serve(json(401, failed("unauthorized")));
  const read = async (url: string, signal?: AbortSignal): Promise<void> => {
    for await (const _event of new AdminClient({ baseUrl: url, token: "t" }).stream(
      "listen",
      signal === undefined ? {} : { signal },
    ))
      continue;
  };
  expect(await failure(read(refused.url))).toMatchObject({ code: "unauthorized", status: 401 });
  const open = await serve((response) => void response.writeHead(200).write(": hello\n\n"));
  await expect(read(open.url, AbortSignal.timeout(150))).rejects.toMatchObject({
    name: "TimeoutError",
  });
});
