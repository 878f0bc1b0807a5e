// Checks that the sink keeps what it gets and answers as it was told.
import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWebhookSink, type WebhookSink } from "./index.ts";

let sink: WebhookSink;
beforeEach(async () => void (sink = await startWebhookSink()));
afterEach(() => sink.close());

function post(body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${sink.url}/hook?a=1`, {
    method: "POST",
    body,
    headers: { "X-Thikaa-Event": "message.received" },
    redirect: "manual",
    ...(signal && { signal }),
  });
}

test("it keeps raw body, headers, path and time of each request", async () => {
  const before = Date.now();
  const response = await post('{"message": "سلام"}');
  expect([response.status, await response.text()]).toEqual([200, ""]);
  const [first] = await sink.waitFor(1);
  expect(first).toMatchObject({
    method: "POST",
    path: "/hook?a=1",
    headers: { "x-thikaa-event": "message.received" },
  });
  expect(first?.body.equals(Buffer.from('{"message": "سلام"}'))).toBe(true);
  expect(first?.json()).toEqual({ message: "سلام" });
  expect(first?.receivedAt).toBeGreaterThanOrEqual(before);
});

test("it answers the next requests one by one as scripted, then as always", async () => {
  sink.answer({ status: 204 });
  sink.answerNext({ status: 500, body: "down" }, { status: 429, headers: { "Retry-After": "3" } });
  const responses = [await post("1"), await post("2"), await post("3")];
  expect(responses.map(({ status }) => status)).toEqual([500, 429, 204]);
  expect([await responses[0]?.text(), responses[1]?.headers.get("retry-after")]).toEqual([
    "down",
    "3",
  ]);
});

test("a script sees the request and its number", async () => {
  sink.answer((received, index) => ({
    status: received.body.toString() === "bad" ? 400 : 200 + index,
  }));
  expect([
    (await post("good")).status,
    (await post("good")).status,
    (await post("bad")).status,
  ]).toEqual([200, 201, 400]);
});

test("a request is recorded before its answer, so a delayed or hanging one is seen at once", async () => {
  sink.answerNext({ delayMs: 150 }, { hang: true });
  const start = performance.now();
  const delayed = post("slow");
  await sink.waitFor(1);
  expect(performance.now() - start).toBeLessThan(140);
  await delayed;
  expect(performance.now() - start).toBeGreaterThanOrEqual(150);
  const hanging = post("never", AbortSignal.timeout(100));
  await expect(hanging).rejects.toThrow(/timeout/);
  expect((await sink.waitFor(2))[1]?.body.toString()).toBe("never");
});

test("it redirects, resets, and sends a body of any size", async () => {
  sink.answerNext(
    { redirectTo: "http://127.0.0.1:1/inside" },
    { reset: true },
    { bigBodyBytes: 3_000_001 },
  );
  const redirected = await post("1");
  expect([redirected.status, redirected.headers.get("location")]).toEqual([
    302,
    "http://127.0.0.1:1/inside",
  ]);
  await expect(post("2")).rejects.toThrow("fetch failed");
  expect((await (await post("3")).arrayBuffer()).byteLength).toBe(3_000_001);
});

test("a sender that goes away in the middle of its request leaves no record", async () => {
  const broken = request(`${sink.url}/hook`, {
    method: "POST",
    headers: { "content-length": 100 },
  });
  broken.on("error", () => {});
  broken.write("only a part");
  await new Promise((resolve) => setTimeout(resolve, 50));
  broken.destroy();
  await post("whole");
  expect(sink.received.map(({ body }) => body.toString())).toEqual(["whole"]);
});

test("waiting for too many says how many came", async () => {
  await post("1");
  await expect(sink.waitFor(2, 50)).rejects.toThrow(/Waited 50 ms for 2 webhook requests.*1 came/);
});
