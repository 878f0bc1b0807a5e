// The mission's body in the encodings that PHP and Node write by themselves: the same message is stored from each.
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { checkContract } from "./fixtures/contract.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("gateway_encodings");
});

afterAll(() => bench.house.close());

const text = "تحديث الوظائف الأسبوعي 👇 https://example.com/a";
const json = JSON.stringify({ channel: "tg", to: "700000001", message: text });
const utf8 = Buffer.from(json);
const headers = { "Content-Type": "application/json" };

interface Written {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One write each; without a Content-Length they are chunks. */
  readonly pieces: readonly (string | Buffer)[];
}

const written: readonly Written[] = [
  // json_encode($body): every character beyond ASCII as \u…, slashes escaped.
  {
    name: "PHP's json_encode",
    headers,
    pieces: [
      json
        .replace(
          /[\u0080-\uffff]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        )
        .replaceAll("/", "\\/"),
    ],
  },
  { name: "PHP with JSON_UNESCAPED_UNICODE", headers, pieces: [json.replaceAll("/", "\\/")] },
  { name: "PHP with JSON_UNESCAPED_UNICODE and JSON_UNESCAPED_SLASHES", headers, pieces: [json] },
  {
    name: "PHP with JSON_PRETTY_PRINT",
    headers,
    pieces: [JSON.stringify(JSON.parse(json), null, 4)],
  },
  {
    name: "Guzzle, which names the charset",
    headers: { "Content-Type": "application/json; charset=utf-8" },
    pieces: [json],
  },
  {
    name: "a charset in capitals and quotes",
    headers: { "Content-Type": 'Application/JSON;Charset="UTF-8"' },
    pieces: [json],
  },
  { name: "no Content-Type at all", headers: {}, pieces: [json] },
  {
    name: "a byte order mark, as an editor leaves it",
    headers,
    pieces: [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8])],
  },
  {
    name: "Node's JSON.stringify with its length",
    headers: { ...headers, "Content-Length": String(utf8.length) },
    pieces: [json],
  },
  {
    name: "Node's Buffer",
    headers: { ...headers, "Content-Length": String(utf8.length) },
    pieces: [utf8],
  },
  {
    name: "Node's chunks, cut inside characters",
    headers,
    pieces: Array.from({ length: Math.ceil(utf8.length / 7) }, (_, index) =>
      utf8.subarray(index * 7, index * 7 + 7),
    ),
  },
  { name: "to as a number", headers, pieces: [json.replace('"700000001"', "700000001")] },
  {
    name: "empty options as null",
    headers,
    pieces: [json.replace("}", ',"media_url":null,"media_type":null,"send_at":null,"ttl":null}')],
  },
  {
    name: "empty options as empty texts",
    headers,
    pieces: [json.replace("}", ',"media_url":"","media_type":""}')],
  },
];

test.each(written)("$name", async ({ headers: given, pieces }) => {
  const { status, body } = await post(given, pieces);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body).toMatchObject({ ok: true, channel: "tg", to: "700000001", status: "queued" });
  const { rows } = await bench.house.database.query<{ content: unknown }>({
    text: "SELECT content FROM messages ORDER BY id DESC LIMIT 1",
  });
  expect(rows[0]?.content).toEqual({ text, media: null });
});

describe("what no database can hold", () => {
  test.each([
    ["a NUL", String.raw`a\u0000b`, "ab"],
    ["half an emoji", String.raw`a\ud83db`, "a\ufffdb"],
  ])("%s in a text is taken out or replaced, not refused", async (_name, escaped, stored) => {
    for (const field of [
      "message",
      "client_reference",
      "to",
      "media_type",
      "media_url",
      "connection_id",
    ]) {
      const fields = {
        channel: '"ig"',
        to: '"700000001"',
        message: '"x"',
        [field]: `"${field === "media_url" ? "https://example.com/" : ""}${escaped}"`,
      };
      const { status, body } = await post(headers, [
        `{${Object.entries(fields)
          .map(([name, value]) => `"${name}":${value}`)
          .join(",")}}`,
      ]);
      // The channel has never told what it carries, so that everything goes through to the tables.
      expect(status, `${field}: ${JSON.stringify(body)}`).toBe(
        field === "connection_id" ? 409 : 200,
      );
    }
    const { rows } = await bench.house.database.query<{ content: { text: string } }>({
      text: "SELECT content FROM messages WHERE content ->> 'text' = $1",
      values: [stored],
    });
    expect(rows).toHaveLength(1);
  });

  beforeAll(async () => {
    await bench.house.connection(bench.store, "ig");
    await bench.house.database.query({
      text: "UPDATE instances SET channels = '{tg,ig}' WHERE id = $1",
      values: [bench.key.instanceId],
    });
  });
});

test("a body in another charset than UTF-8 is told so", async () => {
  const { status, body } = await post(headers, [
    Buffer.from('{"channel":"tg","to":"1","message":"caf\u00e9"}', "latin1"),
  ]);
  expect([status, body["message"]]).toEqual([400, "The body is not valid UTF-8."]);
});

/** Sends bytes as they are, by Node's own client. */
function post(
  given: Readonly<Record<string, string>>,
  pieces: readonly (string | Buffer)[],
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const url = `${bench.gateway.url}/${bench.store.slug}/api/messaging?action=send`;
    const outgoing = request(
      url,
      { method: "POST", headers: { ...given, Authorization: `Bearer ${bench.key.apiKey}` } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
          const status = response.statusCode ?? 0;
          const names = Object.entries(response.headers).map(([name, value]): [string, string] => [
            name,
            String(value),
          ]);
          checkContract({ action: "send", status, headers: new Headers(names), body });
          resolve({ status, body });
        });
      },
    );
    outgoing.on("error", reject);
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}
