// The guarded door on real sockets: rebinding, redirects, endless and silent servers, broken connections.
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createEgress } from "./egress.ts";
import type { Egress, EgressRequest } from "./egress.ts";
import type { EgressConfig } from "./guarded.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const limits = { method: "POST", totalTimeoutMs: 5_000, maxResponseBytes: 16_384 } as const;

function open(config: EgressConfig = {}): Egress {
  const egress = createEgress({
    allowLoopback: true,
    allowHttp: true,
    allowAnyPort: true,
    ...config,
  });
  closers.push(() => egress.close());
  return egress;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener) => listen(createHttpServer(listener));
const serveTcp = (listener: (socket: Socket) => void) => listen(createTcpServer(listener));

async function failure(
  egress: Egress,
  request: Partial<EgressRequest> & { url: string },
): Promise<unknown> {
  return egress.request({ ...limits, ...request }).then(
    () => "answered",
    (error: unknown) => error,
  );
}

test("an answer comes back with status, headers and body, and the request's bytes arrive as given", async () => {
  const bodies: string[] = [];
  const port = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      bodies.push(`${request.method} ${request.url} ${String(request.headers["x-test"])} ${body}`);
      response.writeHead(418, { "X-Reply": "yes" }).end("short and stout");
    });
  });
  const answer = await open().request({
    ...limits,
    url: `http://127.0.0.1:${port}/a?b=1`,
    headers: { "X-Test": "1" },
    body: "مرحبا",
  });
  expect(answer).toMatchObject({ status: 418, truncated: null, headers: { "x-reply": "yes" } });
  expect(answer.body.toString()).toBe("short and stout");
  expect(bodies).toEqual(["POST /a?b=1 1 مرحبا"]);
});

test("a redirect to the metadata address is answered as a status and not followed", async () => {
  let requests = 0;
  const port = await serve((_request, response) => {
    requests++;
    response.writeHead(302, { Location: "http://169.254.169.254/latest/meta-data/" }).end();
  });
  const answer = await open().request({ ...limits, url: `http://127.0.0.1:${port}/` });
  expect(answer.status).toBe(302);
  expect(requests).toBe(1);
});

test("a name is checked at every new connection: what turned private in between is refused", async () => {
  const seen: string[] = [];
  const port = await serve((_request, response) => {
    seen.push("request");
    response.writeHead(200, { Connection: "close" }).end();
  });
  const answers = [["127.0.0.1"], ["10.0.0.5"], ["127.0.0.1", "169.254.169.254"]];
  const egress = open({
    resolve: async () => (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
  });
  const url = `http://rebinding.example:${port}/`;
  expect((await egress.request({ ...limits, url })).status).toBe(200);
  expect(await failure(egress, { url })).toMatchObject({
    code: "blocked_address",
    stage: "connect",
    sent: false,
    message: expect.stringContaining("10.0.0.5") as string,
  });
  expect(await failure(egress, { url })).toMatchObject({
    code: "blocked_address",
    message: expect.stringContaining("169.254.169.254") as string,
  });
  expect(await failure(egress, { url })).toMatchObject({ code: "dns_failed", sent: false });
  expect(seen).toHaveLength(1);
});

test("in production a name for this machine is refused, and nothing is connected", async () => {
  let connections = 0;
  const port = await serveTcp(() => connections++);
  const egress = open({ allowLoopback: false });
  for (const host of ["localhost", "LOCALHOST"]) {
    expect(await failure(egress, { url: `http://${host}:${port}/` })).toMatchObject({
      code: "blocked_address",
      sent: false,
    });
  }
  // Some systems know no such name; none may connect.
  expect(await failure(egress, { url: `http://localhost.:${port}/` })).toMatchObject({
    sent: false,
  });
  expect(connections).toBe(0);
});

test("an endless body is cut at the limit and its connection closed", async () => {
  const closed = Promise.withResolvers<void>();
  const port = await serve((request, response) => {
    request.socket.on("close", () => closed.resolve());
    const piece = Buffer.alloc(65_536, "x");
    const write = (): void => {
      while (response.write(piece) && !response.destroyed) continue;
      response.once("drain", write);
    };
    write();
  });
  const answer = await open().request({
    ...limits,
    url: `http://127.0.0.1:${port}/`,
    maxResponseBytes: 1_000,
  });
  expect(answer).toMatchObject({ status: 200, truncated: "size" });
  expect(answer.body).toHaveLength(1_000);
  await closed.promise;
});

test("a body that trickles is taken until the deadline; the status stands", async () => {
  const port = await serve((_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(timer));
  });
  const answer = await open().request({
    ...limits,
    url: `http://127.0.0.1:${port}/`,
    totalTimeoutMs: 300,
  });
  expect(answer).toMatchObject({ status: 200, truncated: "time" });
  expect(answer.body.length).toBeGreaterThan(1);
  expect(answer.durationMs).toBeLessThan(1_000);
});

test("a silent server is given up at the deadline and the connection closed", async () => {
  const closed = Promise.withResolvers<void>();
  const port = await serveTcp((socket) => void socket.on("close", () => closed.resolve()).resume());
  expect(
    await failure(open(), { url: `http://127.0.0.1:${port}/`, totalTimeoutMs: 200 }),
  ).toMatchObject({ code: "timeout", stage: "request", sent: true });
  await closed.promise;
});

test("a look-up that hangs is given up at the connect deadline, before anything was sent", async () => {
  const hang = Promise.withResolvers<never>();
  const egress = open({ resolve: () => hang.promise });
  const begun = performance.now();
  expect(
    await failure(egress, { url: "http://silent.example/", connectTimeoutMs: 150 }),
  ).toMatchObject({ code: "timeout", stage: "connect", sent: false });
  expect(performance.now() - begun).toBeLessThan(1_500);
});

test("the caller's signal ends a request", async () => {
  const port = await serveTcp((socket) => void socket.resume());
  const abort = new AbortController();
  const failed = failure(open(), { url: `http://127.0.0.1:${port}/`, signal: abort.signal });
  abort.abort();
  expect(await failed).toMatchObject({ code: "aborted", ours: true });
});

test("nobody listening, TLS spoken to plain HTTP, and an answer that is not HTTP are told apart", async () => {
  const egress = open();
  const plain = await serve((_request, response) => void response.end());
  const nonsense = await serveTcp(
    (socket) => void socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.6\r\n")),
  );
  expect(await failure(egress, { url: "http://127.0.0.1:1/" })).toMatchObject({
    code: "connect_failed",
    sent: false,
  });
  expect(await failure(egress, { url: `https://127.0.0.1:${plain}/` })).toMatchObject({
    code: "tls_failed",
    sent: false,
  });
  expect(await failure(egress, { url: `http://127.0.0.1:${nonsense}/` })).toMatchObject({
    code: "bad_response",
    sent: true,
  });
  expect(
    await failure(egress, { url: `http://127.0.0.1:${plain}/`, headers: { "X-Bad": "a\r\nb" } }),
  ).toMatchObject({ code: "invalid_request", sent: false });
});

/** Answers the first request of a connection and breaks it at the second, as a server does whose keep-alive ran out. */
function answeringOncePerConnection(requests: string[]): (socket: Socket) => void {
  return (socket) => {
    let count = 0;
    socket.on("data", () => {
      requests.push("request");
      if (++count === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      else socket.resetAndDestroy();
    });
  };
}

test("a kept connection that breaks before any answer is tried once more on a new one", async () => {
  const requests: string[] = [];
  const port = await serveTcp(answeringOncePerConnection(requests));
  const [egress, url] = [open(), `http://127.0.0.1:${port}/`];
  await egress.request({ ...limits, url, body: "1" });
  // The connection is free again only in the turn after its answer.
  await nextTurn();
  expect((await egress.request({ ...limits, url, body: "2", retryReusedReset: true })).status).toBe(
    200,
  );
  expect(requests).toHaveLength(3);
});

test("without being asked for, or on a new connection, a reset is not tried again", async () => {
  const requests: string[] = [];
  const port = await serveTcp(answeringOncePerConnection(requests));
  let fresh = 0;
  const resetting = await serveTcp((socket) => {
    fresh++;
    socket.once("data", () => socket.resetAndDestroy());
  });
  const [egress, url] = [open(), `http://127.0.0.1:${port}/`];
  await egress.request({ ...limits, url, body: "1" });
  // The connection is free again only in the turn after its answer.
  await nextTurn();
  expect(await failure(egress, { url, body: "2" })).toMatchObject({ code: "reset", sent: true });
  expect(requests).toHaveLength(2);
  expect(
    await failure(egress, {
      url: `http://127.0.0.1:${resetting}/`,
      body: "3",
      retryReusedReset: true,
    }),
  ).toMatchObject({ code: "reset", sent: true });
  expect(fresh).toBe(1);
});

test("many requests to one origin run side by side, a hanging one holds none up", async () => {
  const port = await serve((request, response) => {
    if (request.url !== "/hang") response.end("ok");
  });
  const egress = open();
  const hanging = failure(egress, { url: `http://127.0.0.1:${port}/hang`, totalTimeoutMs: 1_000 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      egress.request({ ...limits, url: `http://127.0.0.1:${port}/` }),
    ),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(await hanging).toMatchObject({ code: "timeout" });
});
