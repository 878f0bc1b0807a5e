// The settings of this app: what is read, and that every fault is named at once.
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const enough = {
  DATABASE_URL: "postgresql://localhost/thikaa",
  NATS_URL: "nats://localhost:4222",
  THIKAA_MASTER_KEY: "k1:x",
  MEDIA_STORE_URL: "file:///var/lib/thikaa/media",
};

test("without settings of its own the app calls Telegram, polls, and has no sandbox", () => {
  expect(readConfig(enough)).toMatchObject({
    environment: "development",
    baseUrls: { live: "https://api.telegram.org", sandbox: null },
    webhookBase: null,
    http: { port: 3000 },
  });
});

test("an https PUBLIC_URL turns webhooks on", () => {
  expect(readConfig({ ...enough, PUBLIC_URL: "https://shop.example/" })).toMatchObject({
    webhookBase: "https://shop.example",
  });
});

test("the sandbox is refused in production", () => {
  expect(() =>
    readConfig({ ...enough, THIKAA_ENV: "production", TELEGRAM_SANDBOX_URL: "http://127.0.0.1:1" }),
  ).toThrow(/TELEGRAM_SANDBOX_URL/);
});

test("every fault is named in one error", () => {
  expect(() => readConfig({ TELEGRAM_API_URL: "ftp://x" })).toThrow(
    /DATABASE_URL[\s\S]*NATS_URL[\s\S]*THIKAA_MASTER_KEY[\s\S]*TELEGRAM_API_URL/,
  );
});
