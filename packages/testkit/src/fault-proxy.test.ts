// Checks each fault of the TCP proxy on real sockets.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startFaultProxy, waitFor, type FaultProxy } from "./index.ts";

/** A client that keeps all it got and how its connection ended. */
class Client {
  readonly socket: Socket;
  got = "";
  error: string | undefined;
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1").setEncoding("utf8");
    this.socket.on("data", (text: string) => (this.got += text));
    this.socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code));
    this.socket.on("close", () => (this.closed = true));
  }

  async receives(text: string): Promise<void> {
    await waitFor(() => this.got === text, {
      what: `"${text}" to come back (got "${this.got}")`,
      deadlineMs: 3000,
    });
  }

  async closes(): Promise<void> {
    await waitFor(() => this.closed, { what: "the connection to end", deadlineMs: 3000 });
  }
}

let proxy: FaultProxy;
let seenByServer = "";
/** The server's side of the connections of one test. */
let served: Socket[] = [];
const echo = createServer((socket) => {
  served.push(socket);
  socket.on("data", (piece) => {
    seenByServer += piece.toString();
    socket.write(piece);
  });
  socket.on("error", () => {});
});

beforeEach(async () => {
  seenByServer = "";
  served = [];
  await once(echo.listen(0, "127.0.0.1"), "listening");
  proxy = await startFaultProxy({
    target: `http://127.0.0.1:${(echo.address() as AddressInfo).port}/base`,
  });
});

afterEach(async () => {
  await proxy.close();
  echo.close();
  await once(echo, "close");
});

test("pass: bytes go through both ways, under the target's URL with another port", async () => {
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}/base`);
  const client = new Client(proxy.port);
  client.socket.write("سلام");
  await client.receives("سلام");
  expect([proxy.accepted, proxy.open]).toEqual([1, 1]);
  client.socket.end();
  await client.closes();
  await waitFor(() => proxy.open === 0, { what: "the proxy to let go of the connection" });
});

test("delay: bytes come later, in order, even when the delay ends meanwhile", async () => {
  await proxy.set({ kind: "delay", ms: 100 });
  const client = new Client(proxy.port);
  const start = performance.now();
  client.socket.write("first ");
  await waitFor(() => proxy.accepted === 1, { what: "the connection" });
  await client.receives("first ");
  expect(performance.now() - start).toBeGreaterThanOrEqual(195);
  client.socket.write("second ");
  await new Promise((resolve) => setTimeout(resolve, 30));
  await proxy.set({ kind: "pass" });
  client.socket.write("third");
  await client.receives("first second third");
});

test("blackHole: the connection opens and stays silent; what was held back comes when it ends", async () => {
  await proxy.set({ kind: "blackHole" });
  const client = new Client(proxy.port);
  client.socket.write("into the hole");
  await waitFor(() => proxy.open === 1, { what: "the connection" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([seenByServer, client.got, client.closed]).toEqual(["", "", false]);
  await proxy.set({ kind: "pass" });
  await client.receives("into the hole");
});

test("blackHole: open connections fall silent too", async () => {
  const client = new Client(proxy.port);
  client.socket.write("a");
  await client.receives("a");
  await proxy.set({ kind: "blackHole" });
  client.socket.write("b");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([seenByServer, client.got]).toEqual(["a", "a"]);
});

test("blackHole of answers: the server gets every request, and the client no answer; a reset lets none of them through", async () => {
  const open = new Client(proxy.port);
  open.socket.write("a");
  await open.receives("a");
  await proxy.set({ kind: "blackHole", direction: "answers" });
  const fresh = new Client(proxy.port);
  open.socket.write("b");
  await waitFor(() => seenByServer === "ab", { what: "the open connection's request" });
  fresh.socket.write("c");
  await waitFor(() => seenByServer === "abc", { what: "the new connection's request" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([open.got, fresh.got]).toEqual(["a", ""]);
  await proxy.set({ kind: "reset" });
  await Promise.all([open.closes(), fresh.closes()]);
  expect([open.got, fresh.got]).toEqual(["a", ""]);
});

test("blackHole of requests: nothing more reaches the server, and an answer on its way still comes", async () => {
  const open = new Client(proxy.port);
  open.socket.write("a");
  await open.receives("a");
  await proxy.set({ kind: "blackHole", direction: "requests" });
  open.socket.write("b");
  for (const socket of served) socket.write("late");
  await open.receives("alate");
  expect(seenByServer).toBe("a");
});

test("reset: open and new connections are reset", async () => {
  const open = new Client(proxy.port);
  open.socket.write("a");
  await open.receives("a");
  await proxy.set({ kind: "reset" });
  await open.closes();
  const fresh = new Client(proxy.port);
  await fresh.closes();
  expect([open.error, fresh.error]).toEqual(["ECONNRESET", "ECONNRESET"]);
});

test("cut: exactly so many bytes of the answer arrive, though the server saw the whole request", async () => {
  await proxy.set({ kind: "cut", bytes: 4 });
  const client = new Client(proxy.port);
  client.socket.write("0123456789");
  await client.closes();
  expect([client.got, client.error, seenByServer]).toEqual(["0123", "ECONNRESET", "0123456789"]);
});

test("cut: a request can be cut before the server has all of it", async () => {
  await proxy.set({ kind: "cut", bytes: 4, direction: "requests" });
  const client = new Client(proxy.port);
  client.socket.write("0123456789");
  await client.closes();
  expect(["", "0123"]).toContain(client.got);
  await waitFor(() => seenByServer === "0123", { what: "the first bytes of the request" });
});

test("refuse: new connections are refused, open ones go on, and the same port serves again", async () => {
  const open = new Client(proxy.port);
  open.socket.write("a");
  await open.receives("a");
  await proxy.set({ kind: "refuse" });
  const refused = new Client(proxy.port);
  await refused.closes();
  expect(refused.error).toBe("ECONNREFUSED");
  open.socket.write("b");
  await open.receives("ab");
  await proxy.set({ kind: "pass" });
  const again = new Client(proxy.port);
  again.socket.write("c");
  await again.receives("c");
});
