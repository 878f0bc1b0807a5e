// The start page: what it shows to whom, and that nothing can be written into it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeChannel, ownNextConnection, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

let running: RunningConsole;
beforeAll(async () => {
  running = await startConsole();
  await describeChannel(running.database);
  await running.admin("POST", "/stores", {
    slug: "demo",
    name: "<script>alert(1)</script>",
    environment: "sandbox",
  });
  await Promise.all([
    running.admin("POST", "/stores/demo/connections", {
      channel: "tg",
      name: "main",
      credentials: { token: "canary-token" },
      sandbox: true,
    }),
    ownNextConnection(running, { state: "connected", address: "7100200300" }),
  ]);
});
afterAll(() => running.stop());

const page = async (path = "/", headers: Record<string, string> = {}, url = running.url) => {
  const answer = await fetch(url + path, { headers });
  return { answer, text: await answer.text() };
};

test("the page shows the connections and the curl of the sandbox, without any secret", async () => {
  const { answer, text } = await page();
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  expect(text).toContain("7100200300");
  expect(text).toContain("/demo/api/messaging/?action=send");
  expect(text).toContain("$(cat .data/sandbox/key)");
  expect(text).toContain("connection add tg --store my-shop --name main --set token=-");
  expect(text).not.toContain("canary-token");
  expect(text).not.toContain("tk_live_");
});

test("a store's name is text, never HTML", async () => {
  const { text } = await page();
  expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(text).not.toContain("<script>alert");
});

test.each([
  [{}, "/", "en", "ltr"],
  [{ "Accept-Language": "ar-IQ,ar;q=0.9,en;q=0.8" }, "/", "ar", "rtl"],
  [{ "Accept-Language": "fr,en;q=0.4,ar;q=0.9" }, "/", "ar", "rtl"],
  [{ "Accept-Language": "ar" }, "/?lang=en", "en", "ltr"],
])("with %j at %s the page is in %s, %s", async (headers, path, language, direction) => {
  expect((await page(path, headers)).text).toContain(
    `<html lang="${language}" dir="${direction}">`,
  );
});

test("the live part shows a change", async () => {
  await running.database.query({
    text: `UPDATE connections SET state = 'attention', reason = '{"code":"unauthorized","message":"The token is dead."}'`,
  });
  const { text } = await page("/console/connections?lang=en");
  expect(text).toContain("The token is dead.");
  expect(text).toContain("needs you");
});

test("a strange Host header does not get into the command", async () => {
  const { request } = await import("node:http");
  const text = await new Promise<string>((resolve, reject) => {
    request(running.url, { headers: { Host: `"$(reboot)"` } }, (answer) => {
      let body = "";
      answer.on("data", (piece) => (body += String(piece))).on("end", () => resolve(body));
    })
      .on("error", reject)
      .end();
  });
  expect(text).not.toContain("reboot");
});

test("in production the page shows what this is, and nothing of any store", async () => {
  const production = await startConsole({ environment: "production", sandbox: false });
  await production.admin("POST", "/stores", { slug: "hidden-shop" });
  const { text } = await page("/", {}, production.url);
  expect(text).toContain("One Messaging API for every channel");
  expect(text).not.toContain("hidden-shop");
  expect(text).not.toContain("/simulator");
  expect((await page("/console/connections", {}, production.url)).answer.status).toBe(404);
  await production.stop();
});
