// The error table over HTTP, from the body on: shape, recipient, size, type, channel, content; one test a row, with what its caller needs to go on.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hello, openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("gateway_content");
});

afterAll(() => bench.house.close());

describe("the body", () => {
  test("a missing 'to' is named by its path", async () => {
    const answer = await bench.send({ body: { channel: "tg", message: "hello" } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toEqual([{ path: "to", message: "'to' is missing." }]);
  });

  test("an unknown field is named with the nearest known one", async () => {
    const answer = await bench.send({ body: { ...hello, mesage: "x" } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toEqual([
      { path: "mesage", message: "Unknown field 'mesage'. Did you mean 'message'?" },
    ]);
  });

  test("a field unlike any other is refused by name alone", async () => {
    const answer = await bench.send({ body: { ...hello, zzzzzzzzz: 1 } });
    expect(answer.body["details"]).toEqual([
      { path: "zzzzzzzzz", message: "Unknown field 'zzzzzzzzz'." },
    ]);
  });

  test.each<[string, string, object]>([
    ["channel", "'channel' is missing.", { channel: undefined }],
    ["channel", "'channel' must be one of wd, wa, tg, fb, ig, tt.", { channel: "sms" }],
    ["channel", "'channel' must be one of wd, wa, tg, fb, ig, tt.", { channel: null }],
    ["to", "'to': 'to' must be text or a whole number.", { to: null }],
    ["to", "'to': 'to' must be text or a whole number.", { to: ["700000001"] }],
    [
      "message",
      "Write a 'message', or give a 'media_url', a 'location' or a 'contact'.",
      { message: undefined },
    ],
    [
      "message",
      "Write a 'message', or give a 'media_url', a 'location' or a 'contact'.",
      { message: " \n" },
    ],
    [
      "media_url",
      "'media_url' must be a full URL that begins with https://.",
      { media_url: "file:///etc/passwd" },
    ],
    [
      "media_url",
      "'media_url' must be a full URL that begins with https://.",
      { media_url: "picture.png" },
    ],
    ["send_at", "'send_at' is more than 30 days ahead.", { send_at: "2999-01-01T00:00:00Z" }],
  ])("%s: %s", async (path, message, change) => {
    const answer = await bench.send({ body: { ...hello, ...change } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toEqual([{ path, message }]);
    expect(answer.body["message"]).toBe(message);
  });

  test.each([
    { message: 5 },
    { message: "x".repeat(65_537) },
    { ttl: 29 },
    { ttl: 604_801 },
    { ttl: 60.5 },
    { send_at: "tomorrow" },
    { client_reference: "x".repeat(256) },
  ])("a value out of its bounds is named by its field", async (change) => {
    const answer = await bench.send({ body: { ...hello, ...change } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toMatchObject([{ path: Object.keys(change)[0] }]);
  });

  test("every fault of a body is told at once", async () => {
    const answer = await bench.send({ body: { chanel: "tg", ttl: 1 } });
    const paths = (answer.body["details"] as { path: string }[]).map(({ path }) => path);
    expect(paths.toSorted()).toEqual(["chanel", "channel", "to", "ttl"]);
  });

  test.each(["", "{", "[]", '"text"', "null", "channel=tg&to=1", '{"channel":"tg",}'])(
    "the body %j is not a JSON object",
    async (text) => {
      bench.expectError(await bench.send({ body: text }), "invalid_request");
    },
  );

  test("an unusable recipient is its own error, at the path 'to'", async () => {
    for (const [channel, to] of [
      ["tg", "  "],
      ["tg", 1.5],
      ["tg", -5],
      ["wd", "07701234567"],
      ["wd", "zainab"],
    ] as const) {
      const answer = await bench.send({ body: { channel, to, message: "hello" } });
      bench.expectError(answer, "invalid_recipient");
      expect(answer.body["details"]).toMatchObject([{ path: "to" }]);
    }
  });

  test("a body over 256 KiB is too large, one at the limit is read", async () => {
    const text = JSON.stringify(hello);
    bench.expectError(await bench.send({ body: text.padEnd(262_145) }), "payload_too_large");
    expect((await bench.send({ body: text.padEnd(262_144) })).status).toBe(200);
  });

  test.each([
    ["application/x-www-form-urlencoded", "identity"],
    ["text/plain", "identity"],
    ["multipart/form-data; boundary=x", "identity"],
    ["application/json; charset=utf-16", "identity"],
    ["application/json", "gzip"],
  ])("a body of type %s, encoded %s, is unsupported", async (type, encoding) => {
    const headers = { "Content-Type": type, "Content-Encoding": encoding };
    bench.expectError(await bench.send({ headers }), "unsupported_media_type");
  });
});

describe("channel and content", () => {
  test("a channel that the key may not use", async () => {
    bench.expectError(
      await bench.send({ body: { ...hello, channel: "ig" } }),
      "channel_not_allowed",
    );
  });

  test("a channel allowed on the key a moment ago counts at once", async () => {
    const narrow = await bench.house.key(bench.store, { channels: ["tg"] });
    bench.expectError(
      await bench.send({ apiKey: narrow.apiKey, body: { ...hello, channel: "ig" } }),
      "channel_not_allowed",
    );
    await bench.house.database.query({
      text: "UPDATE instances SET channels = '{tg,ig}' WHERE id = $1",
      values: [narrow.instanceId],
    });
    bench.expectError(
      await bench.send({ apiKey: narrow.apiKey, body: { ...hello, channel: "ig" } }),
      "channel_not_connected",
    );
  });

  test("a channel on which the store has no connection", async () => {
    bench.expectError(
      await bench.send({ body: { channel: "wd", to: "9647701234567", message: "hello" } }),
      "channel_not_connected",
    );
  });

  test("a connection_id that is not the store's, or not of the channel", async () => {
    const elsewhere = await bench.house.connection(await bench.house.store());
    for (const connection_id of [elsewhere, "con_0000000000000000000000000", "x"]) {
      const answer = await bench.send({ body: { ...hello, connection_id } });
      bench.expectError(answer, "channel_not_connected");
      expect(answer.body["details"]).toMatchObject([{ path: "connection_id" }]);
    }
  });

  test("a connection that is merely down accepts, with a warning that says what happens", async () => {
    const answer = await bench.send();
    expect(answer.status).toBe(200);
    expect(answer.body["warnings"]).toMatchObject([
      { code: "connection_not_connected", message: expect.stringContaining("waits until") },
    ]);
  });

  test("content that the channel can't carry", async () => {
    const answer = await bench.send({ body: { ...hello, media_url: "https://example.com/a.png" } });
    bench.expectError(answer, "capability_unsupported");
    expect(answer.body["details"]).toMatchObject([{ path: "media_url" }]);
  });

  test("a window that is closed, and one that is open", async () => {
    await wrote("fb", "closed", "25 hours");
    await wrote("fb", "open", "23 hours");
    bench.expectError(
      await bench.send({ body: { ...hello, channel: "fb", to: "closed" } }),
      "window_closed",
    );
    bench.expectError(
      await bench.send({ body: { ...hello, channel: "fb", to: "never-wrote" } }),
      "window_closed",
    );
    expect((await bench.send({ body: { ...hello, channel: "fb", to: "open" } })).status).toBe(200);
    const later = new Date(Date.now() + 2 * 3_600_000).toISOString();
    bench.expectError(
      await bench.send({ body: { ...hello, channel: "fb", to: "open", send_at: later } }),
      "window_closed",
    );
  });

  test("a person who has not written yet, where a first message is not allowed", async () => {
    await wrote("tt", "known", "90 days");
    bench.expectError(
      await bench.send({ body: { ...hello, channel: "tt", to: "stranger" } }),
      "conversation_not_open",
    );
    expect((await bench.send({ body: { ...hello, channel: "tt", to: "known" } })).status).toBe(200);
  });
});

/** Makes a conversation of a person who last wrote so long ago. */
async function wrote(channel: string, address: string, ago: string): Promise<void> {
  await bench.house.database.query({
    text: `WITH c AS (SELECT id FROM connections WHERE store_id = $1 AND channel = $2),
           person AS (INSERT INTO contacts (store_id, id, channel, connection_id, address) SELECT $1, gen_random_uuid(), $2, c.id, $3 FROM c RETURNING id, connection_id)
           INSERT INTO conversations (store_id, id, connection_id, thread, address, contact_id, last_inbound_at)
           SELECT $1, gen_random_uuid(), connection_id, $3, $3, id, now() - $4::interval FROM person`,
    values: [bench.store.id, channel, address, ago],
  });
}
