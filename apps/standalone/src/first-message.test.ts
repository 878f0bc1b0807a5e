// The newcomer's first message: the README's own curl reaches the phone, and the answer comes back signed.
import { execFile, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AdminClient, verifyWebhook } from "@thikaa/sdk";
import { openBrowser, startWebhookSink, waitFor } from "@thikaa/testkit";
import type { ReceivedRequest, WebhookSink } from "@thikaa/testkit";
import type { Browser } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { openPhone } from "./fixtures/phone.ts";

const root = join(import.meta.dirname, "../../..");
const pictures = join(root, "test-results/first-message");
const greeting = "مرحبا زينب 👋";
const question = "كم السعر؟ وهل التوصيل مجاني 🚚";

let folder: string;
let house: Child;
let browser: Browser;
let sink: WebhookSink;
let secret: string;

beforeAll(async () => {
  await mkdir(pictures, { recursive: true });
  folder = await makeFolder();
  [house, browser, sink] = await Promise.all([
    startChild({ folder }),
    openBrowser(),
    startWebhookSink(),
  ]);
  const admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  const made = await admin.request("POST", "/stores/demo/keys", {
    name: "own system",
    channels: ["tg"],
    webhook: sink.url,
  });
  secret = String((made as { webhook_secret: unknown }).webhook_secret);
});

afterAll(async () => {
  await browser?.close();
  await house?.stop();
  await sink?.close();
  await removeFolder(folder);
});

test("the README's curl reaches the phone in the simulator, in Arabic", async () => {
  const phone = await openPhone(browser, { url: house.url, locale: "ar" });
  const { stdout } = await promisify(execFile)("bash", ["-c", await readmeCurl()], { cwd: folder });
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    channel: "tg",
    to: "700000001",
    status: "queued",
  });
  await phone.locator(".row.shop .bubble-text", { hasText: greeting }).waitFor();
  await phone.screenshot({ path: join(pictures, "greeting-ar.png") });
  await phone.context().close();
});

test("with another channel and number the same curl reaches her WhatsApp", async () => {
  const curl = (await readmeCurl()).replace(
    '"channel":"tg","to":"700000001"',
    '"channel":"wd","to":"9647700000001"',
  );
  const { stdout } = await promisify(execFile)("bash", ["-c", curl], { cwd: folder });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, channel: "wd", to: "9647700000001" });
  const phone = await openPhone(browser, { url: house.url, locale: "ar" });
  await phone.getByRole("button", { name: "العودة إلى المحادثات" }).click();
  await phone.locator(".chat-line", { has: phone.locator(".channel.wd") }).click();
  await phone.locator(".row.shop .bubble-text", { hasText: greeting }).waitFor();
  await phone.context().close();
});

test("the answer typed on the phone reaches the webhook, and every way of verifying takes it", async () => {
  const phone = await openPhone(browser, { url: house.url, locale: "en" });
  await phone.getByLabel("Message", { exact: true }).fill(question);
  await phone.keyboard.press("Enter");
  const delivery = await waitFor(
    () => sink.received.find(({ body }) => body.toString().includes(question)),
    { what: "the answer at the webhook" },
  );
  await waitFor(
    async () => (await phone.locator(".said-text", { hasText: question }).count()) > 0,
    { what: "the delivery in the simulator's log" },
  );
  await phone.screenshot({ path: join(pictures, "answer-en.png") });
  const rawBody = delivery.body;
  const req = { headers: delivery.headers as Record<string, string> };

  // The mission's own Node lines, with the same secret string.
  const expected = "sha256=" + crypto.createHmac("sha256", secret).update(rawBody).digest("hex");
  const ok = crypto.timingSafeEqual(
    Buffer.from(expected),
    Buffer.from(req.headers["x-thikaa-signature"] || ""),
  );
  expect(ok).toBe(true);

  expect(new Webhook(secret).verify(rawBody.toString(), req.headers)).toMatchObject({
    event: "message.received",
  });
  const verified = verifyWebhook({ body: rawBody, headers: req.headers, secret });
  expect(verified).toMatchObject({
    event: "message.received",
    version: 1,
    data: {
      channel: "tg",
      from: "700000001",
      type: "text",
      message: question,
      media_url: null,
      edited: false,
    },
  });
  expect(() =>
    new Webhook(secret).verify(rawBody.toString().replace("700000001", "700000002"), req.headers),
  ).toThrow();
});

test.runIf(spawnSync("php", ["-v"]).status === 0)(
  "the mission's PHP lines take the webhook with the same secret",
  async () => {
    const delivery = await zainabSays("هل لديكم PHP؟");
    const lines = [
      "$body = file_get_contents('php://stdin');",
      "$sig = $_SERVER['HTTP_X_THIKAA_SIGNATURE'] ?? '';",
      "$secret = $_SERVER['WEBHOOK_SECRET'];",
      "$ok = hash_equals('sha256=' . hash_hmac('sha256', $body, $secret), $sig);",
      "echo $ok ? 'yes' : 'no';",
    ];
    const run = (signature: string) =>
      spawnSync("php", ["-d", "variables_order=EGPCS", "-r", lines.join("\n")], {
        input: delivery.body,
        env: { PATH: "/usr/bin:/bin", HTTP_X_THIKAA_SIGNATURE: signature, WEBHOOK_SECRET: secret },
      }).stdout.toString();
    expect(run(String(delivery.headers["x-thikaa-signature"]))).toBe("yes");
    expect(run(`sha256=${"0".repeat(64)}`)).toBe("no");
  },
);

test("what came in, put into send unchanged, reaches the same person", async () => {
  const delivery = await zainabSays("بكم هذا؟");
  const { data } = JSON.parse(delivery.body.toString()) as {
    data: { channel: string; from: string };
  };
  const phone = await openPhone(browser, { url: house.url, locale: "en" });
  const response = await fetch(`${house.url}/demo/api/messaging/?action=send`, {
    method: "POST",
    headers: { "X-API-Key": await house.sandboxKey(), "Content-Type": "application/json" },
    body: JSON.stringify({ channel: data.channel, to: data.from, message: "خمسة آلاف" }),
  });
  expect(response.status).toBe(200);
  await phone.locator(".row.shop .bubble-text", { hasText: "خمسة آلاف" }).waitFor();
});

test("the API reference opens offline", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  const outside: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(house.url) && !/^(data|blob):/.test(request.url()))
      outside.push(request.url());
  });
  await page.goto(`${house.url}/docs`);
  await page.getByText("Send a message").first().waitFor();
  await page.screenshot({ path: join(pictures, "reference.png") });
  expect(outside).toEqual([]);
});

/** Zainab writes to the shop, without the browser; resolves to the delivery at the store's own webhook. */
async function zainabSays(text: string): Promise<ReceivedRequest> {
  await fetch(`${house.url}/simulator/api/send`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ chat: "tg-7100200300", text }),
  });
  return waitFor(() => sink.received.find(({ body }) => body.toString().includes(text)), {
    what: "the answer at the webhook",
  });
}

/** The README's first curl, as it stands there, with this house's port. */
async function readmeCurl(): Promise<string> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [command] = /curl -X POST[^`]*/.exec(readme) ?? [];
  if (command === undefined) throw new Error("The README has no curl.");
  return command.replace("localhost:3000", `localhost:${house.port}`);
}
