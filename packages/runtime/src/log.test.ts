// The log: no secret gets into it at debug, by whatever way it comes; errors keep what helps.
import { describe, expect, test } from "vitest";
import { createLog, describeError, scrub } from "./log.ts";
import type { Log } from "./log.ts";

const secrets = {
  token: "7100200300:AAF-canary_Token0123456789abcdefg",
  apiKey: "tk_live_0123456789ABCDEFGHIJKLMNOPQRSTcanary",
  webhookSecret: "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E=",
  password: "canary-p@ss:word",
} as const;

const urls = [
  `https://api.telegram.org/bot${secrets.token}/getMe`,
  `https://api.telegram.org/file/bot${secrets.token}/photos/a.jpg`,
  `postgresql://thikaa:${secrets.password}@db:5432/thikaa?sslmode=require`,
  `nats://canary-token-of-nats@nats:4222`,
];

function openLog(): { log: Log; text: () => string; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const log = createLog(
    { name: "test", level: "debug" },
    { write: (line) => void written.push(line) },
  );
  return {
    log,
    text: () => written.join(""),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const leaks = (text: string) =>
  [
    secrets.token,
    secrets.token.slice(11),
    secrets.apiKey,
    secrets.webhookSecret,
    secrets.password,
    "ss:word",
    "canary",
  ].filter((secret) => text.includes(secret));

describe("no secret is logged", () => {
  const everything = [
    ...Object.values(secrets).filter((secret) => secret !== secrets.password),
    ...urls,
  ];

  test.each<[string, (log: Log, secret: string) => void]>([
    [
      "in an error's message and stack",
      (log, secret) => log.error({ error: new Error(`could not call ${secret}`) }, "failed"),
    ],
    [
      "in the cause of an error",
      (log, secret) =>
        log.error({ error: new Error("failed", { cause: new Error(`at ${secret}`) }) }, "failed"),
    ],
    [
      "in something thrown that is no error",
      (log, secret) => log.error({ error: `${secret} broke` }, "failed"),
    ],
    ["in the message", (log, secret) => log.debug(`calling ${secret}`)],
    [
      "in a field of any name",
      (log, secret) =>
        log.debug(
          { url: secret, nested: { deep: { deeper: { address: secret } } }, list: [secret] },
          "calling",
        ),
    ],
    ["in the fields of a child", (log, secret) => log.child({ target: secret }).info("calling")],
    [
      "in the fields of an error",
      (log, secret) =>
        log.error(
          { error: Object.assign(new Error("failed"), { config: { url: secret } }) },
          "failed",
        ),
    ],
  ])("%s", (_name, write) => {
    const { log, text, lines } = openLog();
    for (const secret of everything) write(log, secret);
    expect(lines()).toHaveLength(everything.length);
    expect(leaks(text())).toEqual([]);
  });

  test("by the names of fields that hold secrets or people's words", () => {
    const { log, text } = openLog();
    for (const field of [
      "token",
      "secret",
      "password",
      "authorization",
      "api_key",
      "apiKey",
      "credentials",
      "text",
      "body",
      "payload",
    ]) {
      log.debug(
        { [field]: "canary", one: { [field]: "canary" }, two: { one: { [field]: "canary" } } },
        "a step",
      );
    }
    expect(leaks(text())).toEqual([]);
  });
});

test("what is no secret stays: ids, times, URLs without a password, and every line is JSON", () => {
  const { log, lines } = openLog();
  const fields = {
    message_id: "msg_01JD0000000000000000000000",
    url: "https://example.com:8443/a?b=c@d",
    at: "2026-11-22T10:15:00.412Z",
    phone: "964",
    other: "user@example.com",
  };
  log.info({ ...fields, error: undefined }, 'a "quoted" message for a@b');
  expect(lines()).toMatchObject([
    { level: "info", name: "test", ...fields, msg: 'a "quoted" message for a@b' },
  ]);
});

test("an error is told by name, code, message, stack and cause", () => {
  const error = Object.assign(new TypeError("bad", { cause: new Error("why") }), { code: "E1" });
  expect(describeError(error)).toMatchObject({
    name: "TypeError",
    code: "E1",
    message: "bad",
    stack: expect.stringContaining("log.test.ts"),
    cause: { message: "why" },
  });
  const { log, lines } = openLog();
  log.warn({ error }, "failed");
  expect(lines()[0]).toMatchObject({ error: { name: "TypeError", code: "E1", message: "bad" } });
});

test("scrubbing a text twice is the same as once", () => {
  for (const url of urls) expect(scrub(scrub(url))).toBe(scrub(url));
});
