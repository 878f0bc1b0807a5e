// The checks agree with the mission's own lines and with the standardwebhooks package.
import { createHmac, randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { checkSignatures } from "./signatures.ts";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const body = Buffer.from('{"event":"message.received","data":{"message":"كم السعر؟"}}');
const receivedAt = new Date("2026-11-22T10:15:00Z");
const thikaa = (key: string): string =>
  `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
const standard = (at: Date, key = secret): Record<string, string> => ({
  "webhook-id": "evt_1",
  "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
  "webhook-signature": new Webhook(key).sign("evt_1", at, body.toString("utf8")),
});
const both = { "x-thikaa-signature": thikaa(secret), ...standard(receivedAt) };

test("both signatures of one secret are valid", () => {
  expect(checkSignatures({ headers: both, body, receivedAt }, secret)).toEqual({
    thikaa: "valid",
    standard: "valid",
  });
});

test("one changed byte of the body makes both invalid", () => {
  const changed = Buffer.from(body.toString("utf8").replace("received", "receivee"));
  expect(checkSignatures({ headers: both, body: changed, receivedAt }, secret)).toEqual({
    thikaa: "invalid",
    standard: "invalid",
  });
});

test("another secret makes both invalid, an unknown one leaves them unjudged", () => {
  const other = `whsec_${randomBytes(32).toString("base64")}`;
  expect(checkSignatures({ headers: both, body, receivedAt }, other)).toEqual({
    thikaa: "invalid",
    standard: "invalid",
  });
  expect(checkSignatures({ headers: both, body, receivedAt }, null)).toEqual({
    thikaa: "unregistered",
    standard: "unregistered",
  });
});

test("headers that are not there are missing", () => {
  expect(checkSignatures({ headers: {}, body, receivedAt }, secret)).toEqual({
    thikaa: "missing",
    standard: "missing",
  });
});

test("while a secret is changed, one good signature among several is enough", () => {
  const old = standard(receivedAt, `whsec_${randomBytes(32).toString("base64")}`)[
    "webhook-signature"
  ];
  const headers = {
    ...both,
    "webhook-signature": `${old} ${both["webhook-signature" as keyof typeof both]}`,
  };
  expect(checkSignatures({ headers, body, receivedAt }, secret).standard).toBe("valid");
});

test("a delivery more than five minutes old is stale", () => {
  const headers = standard(new Date(receivedAt.getTime() - 301_000));
  expect(checkSignatures({ headers, body, receivedAt }, secret).standard).toBe("stale");
});
