// WhatsApp by QR paired as a shop owner does it: the page opened by a link, its pixels read by the phone of the stand-in, through the whole house.
import type { Browser, Page } from "playwright-core";
import { AdminClient } from "@thikaa/sdk";
import { startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { openBrowser, readQrCodeOfPng, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";

const numbers = ["1", "2", "3", "4"].map((last) => `964770111000${last}`);
const [first = "", second = "", third = "", fourth = ""] = numbers;

let folder: string;
let whatsapp: WhatsAppWebStandIn;
let house: Child;
let admin: AdminClient;
let browser: Browser;

beforeAll(async () => {
  folder = await makeFolder();
  whatsapp = await startWhatsAppWebStandIn({ phones: numbers.map((number) => ({ number })) });
  house = await startChild({
    folder,
    environment: { WHATSAPP_WEB_URL: whatsapp.url, THIKAA_SANDBOX: "0" },
  });
  admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  for (const slug of ["basra", "berlin"]) await admin.request("POST", "/stores", { slug });
  browser = await openBrowser();
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await house?.stop();
  await whatsapp?.close();
  await removeFolder(folder);
});

async function add(store: string, credentials: Record<string, string> = {}): Promise<string> {
  const body = { channel: "wd", name: "main", credentials };
  const added = await admin.request<{ id: string }>("POST", `/stores/${store}/connections`, body);
  expect(added).toMatchObject({ state: "attention", reason: { code: "not_paired" } });
  return added.id;
}

async function open(connection: string, locale: "en-GB" | "ar-IQ"): Promise<Page> {
  const { url } = await admin.createPairingLink(connection);
  const context = await browser.newContext({
    locale,
    viewport: { width: locale === "ar-IQ" ? 390 : 1280, height: 844 },
  });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** What a camera sees of the page as it is. */
const read = async (page: Page) => readQrCodeOfPng(await page.screenshot());

async function scan(page: Page, phone: string): Promise<void> {
  const seen = async () => (await read(page)) ?? undefined;
  const qr = await waitFor(seen, { what: "a code to scan", deadlineMs: 20_000 });
  await whatsapp.scan({ phone, qr });
}

const inTime = { timeout: 20_000 };

test("a phone scans the page in English, and the connection is up", async () => {
  const connection = await add("basra");
  const page = await open(connection, "en-GB");
  await page.getByText("not an official way").waitFor(inTime);
  await page.getByText("Tap Link a device and scan this code.").waitFor(inTime);
  await scan(page, first);
  await page.getByText("The phone is linked").waitFor(inTime);
  await page.getByText(`+${first}`).waitFor(inTime);
  expect(await admin.request("GET", `/connections/${connection}`)).toMatchObject({
    state: "connected",
    address: first,
  });
  expect(whatsapp.phone(first).linked).toMatchObject([{ connected: true, conflicts: 0 }]);
  await page.context().close();
}, 60_000);

test("codes that the server ended are followed by others on the page, in Arabic, and these link the phone", async () => {
  const page = await open(await add("basra"), "ar-IQ");
  expect(await page.locator("html").getAttribute("dir")).toBe("rtl");
  await page.getByText("اضغط ربط جهاز وامسح هذا الرمز.").waitFor(inTime);
  const ended = await read(page);
  whatsapp.expireCodes();
  await page.getByText("جارٍ إحضار الرمز").waitFor(inTime);
  await page.getByText("امسح هذا الرمز بالهاتف").waitFor(inTime);
  expect(await read(page)).not.toBe(ended);
  await scan(page, second);
  await page.getByText("تم ربط الهاتف").waitFor(inTime);
  await page.context().close();
}, 60_000);

test("on the phone itself the code is typed", async () => {
  const page = await open(await add("basra"), "en-GB");
  await page.getByText("open on that phone itself?").click(inTime);
  await page.getByRole("textbox").fill(`+${third}`);
  await page.getByRole("button", { name: "Get a code to type" }).click();
  const shown = await page.locator("output").textContent(inTime);
  await whatsapp.enterCode({ phone: third, code: (shown ?? "").replace("-", "") });
  await page.getByText("The phone is linked").waitFor(inTime);
  expect(whatsapp.phone(third).linked).toMatchObject([{ connected: true, conflicts: 0 }]);
  await page.context().close();
}, 60_000);

test("another phone than the one that was named, and one of another store, are let go again and told in words", async () => {
  const strict = await open(await add("berlin", { phone: fourth }), "ar-IQ");
  await scan(strict, first);
  await strict.getByText("استُخدم الرمز من هاتف غير الهاتف").waitFor(inTime);
  const other = await open(await add("berlin"), "en-GB");
  await scan(other, first);
  await other.getByText("in another store").waitFor(inTime);
  await waitFor(() => whatsapp.phone(first).linked.length === 1, {
    what: "the phone to have its first link alone",
  });
  await strict.context().close();
  await other.context().close();
}, 60_000);
