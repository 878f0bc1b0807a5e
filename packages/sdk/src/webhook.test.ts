// Verifying webhooks: both kinds of signature, their times, and everything that must be refused.
import { createHmac, randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { signWebhook, verifyWebhook } from "./webhook.ts";
import type { VerifyWebhookInput } from "./webhook.ts";

const newSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;
const [secret, otherSecret] = [newSecret(), newSecret()];
const id = "evt_01J0000000000000000000000A";
const body = JSON.stringify({
  event: "message.received",
  instance_id: "ins_1",
  data: { message: "كم السعر؟" },
});
const signed = signWebhook({ id, event: "message.received", body, secret });
const { "X-Thikaa-Signature": thikaaSignature = "", "webhook-signature": standardSignature = "" } =
  signed;

const verify = (change: Partial<VerifyWebhookInput>) => () =>
  verifyWebhook({ body, headers: signed, secret, ...change });
const refusal = (code: string) =>
  expect.objectContaining({ name: "WebhookVerificationError", code }) as Error;

test("what signWebhook signs, the standardwebhooks package and the documented lines verify", () => {
  expect(new Webhook(secret).verify(body, signed)).toEqual(JSON.parse(body));
  expect(thikaaSignature).toBe("sha256=" + createHmac("sha256", secret).update(body).digest("hex"));
});

test("what the standardwebhooks package signs, verifyWebhook accepts", () => {
  const at = new Date();
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, body),
  };
  expect(verifyWebhook({ body, headers, secret })).toMatchObject({
    event: "message.received",
    data: { message: "كم السعر؟" },
  });
});

test("headers may be a Headers, Node's lower-case ones or of any case; the body text or bytes", () => {
  const lower = Object.fromEntries(
    Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]),
  );
  for (const headers of [signed, lower, new Headers(signed)])
    expect(verify({ headers })().event).toBe("message.received");
  expect(verify({ body: Buffer.from(body) })().event).toBe("message.received");
});

test("the mission's header alone is enough, and is checked", () => {
  expect(verify({ headers: { "x-thikaa-signature": thikaaSignature } })().event).toBe(
    "message.received",
  );
  expect(
    verify({ headers: { "x-thikaa-signature": thikaaSignature }, secret: otherSecret }),
  ).toThrow(refusal("invalid_signature"));
  expect(verify({ headers: { "x-thikaa-signature": thikaaSignature.slice(0, -1) } })).toThrow(
    refusal("invalid_signature"),
  );
});

test("a wrong standard signature is not saved by a right header of the other kind", () => {
  expect(verify({ headers: { ...signed, "webhook-signature": "v1,AAAA" } })).toThrow(
    refusal("invalid_signature"),
  );
  expect(verify({ headers: { ...signed, "webhook-id": "evt_other" } })).toThrow(
    refusal("invalid_signature"),
  );
});

test("an altered body, another secret and no signature at all are refused", () => {
  expect(verify({ body: body.replace("كم", "هل") })).toThrow(refusal("invalid_signature"));
  expect(verify({ secret: otherSecret })).toThrow(refusal("invalid_signature"));
  expect(verify({ headers: {} })).toThrow(refusal("missing_signature"));
  expect(verify({ headers: { "x-thikaa-signature": "" } })).toThrow(refusal("missing_signature"));
  expect(verify({ secret: "" })).toThrow(TypeError);
  expect(verify({ secret: [] })).toThrow(TypeError);
});

test("a replay is refused after the tolerance, in both directions of time", () => {
  // From when it was signed, whatever time the tests before this one took.
  const now = Number(signed["webhook-timestamp"]) * 1_000;
  expect(verify({ now: now + 299_000 })().event).toBe("message.received");
  expect(verify({ now: now + 302_000 })).toThrow(refusal("stale_timestamp"));
  expect(verify({ now: now - 302_000 })).toThrow(refusal("stale_timestamp"));
  expect(verify({ now: now + 302_000, toleranceSeconds: 600 })().event).toBe("message.received");
});

test("while a secret is being changed either side may know only one of the two", () => {
  const both = `${standardSignature} v1,${createHmac("sha256", "x").digest("base64")}`;
  expect(verify({ headers: { ...signed, "webhook-signature": both } })().event).toBe(
    "message.received",
  );
  expect(verify({ secret: [otherSecret, secret] })().event).toBe("message.received");
});

test("a rightly signed body that is not an event is refused", () => {
  for (const odd of ["", "[]", "null", "{}", '{"event":1,"data":{}}', "\u0000"]) {
    const headers = signWebhook({ id, event: "message.received", body: odd, secret });
    expect(() => verifyWebhook({ body: odd, headers, secret })).toThrow(refusal("invalid_body"));
  }
});
