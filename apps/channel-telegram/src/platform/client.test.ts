// The client against the stand-in: what its errors say, and what they never hold.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { inspect } from "node:util";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramFault, TelegramStandIn } from "@thikaa/stand-ins";
import { freePort } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { zainab } from "../fixtures/world.ts";
import { TelegramClient } from "./client.ts";
import { outcomeOf, TelegramCallError } from "./errors.ts";

let telegram: TelegramStandIn;
let token: string;
const message = { method: "sendMessage", chat_id: String(zainab.id), text: "hello" } as const;

beforeEach(async () => {
  telegram = await startTelegramStandIn({ people: [zainab] });
  const bot = telegram.addBot();
  token = bot.token;
  telegram.personStarts({ personId: zainab.id, botId: bot.id });
});
afterEach(() => telegram.close());

const clientAt = (baseUrl: string, life = new AbortController().signal) =>
  new TelegramClient({ token, baseUrl, life });
const failureOf = async (call: Promise<unknown>): Promise<TelegramCallError> => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof TelegramCallError) return error;
  throw new Error("expected a TelegramCallError", { cause: error });
};

test("a text goes out without markup, and its id comes back", async () => {
  const id = await clientAt(telegram.url).sendPlain({ ...message, text: "<b>not bold</b> *_x_*" });
  expect(telegram.record.calls({ method: "sendMessage" })[0]).toMatchObject({
    parameters: { chat_id: String(zainab.id), text: "<b>not bold</b> *_x_*" },
    result: { message_id: id },
  });
  expect(telegram.record.calls({ method: "sendMessage" })[0]?.parameters).not.toHaveProperty(
    "parse_mode",
  );
});

test.each<[TelegramFault, string]>([
  [{ kind: "reset_before_accept" }, "uncertain"],
  [{ kind: "reset_after_accept" }, "uncertain"],
  [{ kind: "truncated" }, "uncertain"],
  [{ kind: "server_error", status: 502 }, "uncertain"],
  [{ kind: "server_error", status: 500 }, "unavailable"],
  [{ kind: "throttled", retryAfter: 7 }, "throttled"],
  [{ kind: "revoked" }, "unauthorized"],
])("after %j a send is %s, and its error does not hold the token", async (fault, outcomeClass) => {
  telegram.faults.add(fault);
  const error = await failureOf(clientAt(telegram.url).sendPlain(message));
  expect(outcomeOf(error).class).toBe(outcomeClass);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(token.split(":")[1]);
  expect(error.cause).toBeUndefined();
});

test("a server that is not there was certainly not written to", async () => {
  const error = await failureOf(
    clientAt(`http://127.0.0.1:${await freePort()}`).sendPlain(message),
  );
  expect(outcomeOf(error)).toMatchObject({
    class: "unavailable",
    reason: { provider_code: "ECONNREFUSED" },
  });
});

test("a connection that is never made is given up as not begun", async () => {
  // Accepts at the network's level but never speaks TLS: the call's bytes are never written.
  const server = createServer(() => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const error = await failureOf(clientAt(`https://127.0.0.1:${port}`).sendPlain(message));
  expect(outcomeOf(error)).toMatchObject({
    class: "unavailable",
    reason: { provider_code: "UND_ERR_CONNECT_TIMEOUT" },
  });
  server.close();
}, 15_000);

test("when the connection must be let go, a call in flight ends at once and is uncertain", async () => {
  const life = new AbortController();
  telegram.faults.add({ kind: "hang" });
  const failing = failureOf(clientAt(telegram.url, life.signal).sendPlain(message));
  await telegram.record.until(() => telegram.record.calls({ method: "sendMessage" }).length === 1);
  life.abort();
  expect(outcomeOf(await failing)).toMatchObject({
    class: "uncertain",
    reason: { provider_code: "UND_ERR_ABORTED" },
  });
});
