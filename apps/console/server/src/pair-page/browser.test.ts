// The pairing page in a real browser: a phone reads the code off its pixels, in both languages, by light and dark; each end is said in words.
import type { Browser, Page } from "playwright-core";
import { AdminClient } from "@thikaa/sdk";
import { openBrowser, paperPairing, PaperPhones, readQrCodeOfPng, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, overflowOf } from "../fixtures/browser.ts";
import type { Look } from "../fixtures/browser.ts";
import { adminToken, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";
import { startPhones } from "../fixtures/phones.ts";

const phones = new PaperPhones("wd");
let running: RunningConsole;
let client: AdminClient;
let stopPhones: () => Promise<void>;
let browser: Browser;
beforeAll(async () => {
  running = await startConsole();
  client = new AdminClient({ baseUrl: running.url, token: adminToken });
  stopPhones = await startPhones(running, phones);
  await running.admin("POST", "/stores", { slug: "shop", name: "متجر الورد" });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await stopPhones();
  await running.stop();
});

/** A connection that waits for its phone, opened by a link. */
async function open(look: Look) {
  const { body } = await running.admin("POST", "/stores/shop/connections", {
    channel: "wd",
    name: "الفرع الرئيسي",
    credentials: {},
  });
  const { url } = await client.createPairingLink(String(body["id"]));
  return { url, ...(await openPage(browser, url, look)) };
}

/** What a phone's camera reads off the screen as it is, without scrolling. */
const scan = async (page: Page) => readQrCodeOfPng(await page.screenshot());

const scanned = (page: Page) =>
  waitFor(() => scan(page).then((text) => text ?? undefined), { what: "a code to scan" });

test.each<Look & { readonly direction: string; readonly linked: string }>([
  {
    width: 390,
    colorScheme: "light",
    language: "en",
    direction: "ltr",
    linked: "The phone is linked",
  },
  {
    width: 1280,
    colorScheme: "dark",
    language: "en",
    direction: "ltr",
    linked: "The phone is linked",
  },
  { width: 390, colorScheme: "dark", language: "ar", direction: "rtl", linked: "تم ربط الهاتف" },
  {
    width: 1280,
    colorScheme: "light",
    language: "ar",
    direction: "rtl",
    linked: "تم ربط الهاتف",
  },
])("a phone links by the pixels at $width px, $colorScheme, $language", async (look) => {
  const { page, complaints } = await open(look);
  const text = await scanned(page);
  expect(await page.locator("html").getAttribute("dir")).toBe(look.direction);
  const step = paperPairing.scanSteps[1]?.[look.language] ?? "";
  await page.getByText(step).waitFor();
  await page.getByText(paperPairing.notice[look.language]).waitFor();
  expect(await overflowOf(page)).toBe(0);
  const number = `96477100${look.width}${look.language === "ar" ? 1 : 2}`;
  expect(phones.use(text, number)).toBe(true);
  await page.getByText(look.linked).waitFor();
  await page.getByText(`+${number}`).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a code is renewed in place; when nobody scans, the page says so and shows a new one when asked", async () => {
  [phones.codeMs, phones.codes] = [1_500, 2];
  const { page } = await open({ width: 1280, colorScheme: "light", language: "ar" });
  const drawing = page.locator("svg.qr path");
  const first = await drawing.getAttribute("d");
  await waitFor(async () => (await drawing.getAttribute("d")) !== first, {
    what: "the next code",
  });
  await page.getByText(paperPairing.reasons.qr_expired.ar).waitFor();
  [phones.codeMs, phones.codes] = [20_000, 6];
  await page.getByRole("button", { name: "أظهر رمزًا جديدًا" }).click();
  expect(phones.use(await scanned(page), "9647710000777")).toBe(true);
  await page.getByText("تم ربط الهاتف").waitFor();
  await page.context().close();
});

test("on the phone itself a code is typed; a wrong number is named, and the way back is open", async () => {
  const { page } = await open({ width: 390, colorScheme: "light", language: "en" });
  await scanned(page);
  await page.getByText("open on that phone itself?").click();
  await page.getByRole("textbox").fill("0770");
  await page.getByRole("button", { name: "Get a code to type" }).click();
  await page.getByText("with its country code, digits only").waitFor();
  await page.getByRole("textbox").fill("+964 770 111 2233");
  await page.getByRole("button", { name: "Get a code to type" }).click();
  const typed = await page.getByText(/^PAPE-R\d{3}$/).textContent();
  await page.getByText(paperPairing.typeSteps[0]?.en ?? "").waitFor();
  await page.getByRole("button", { name: "Show a code to scan instead" }).waitFor();
  expect(phones.use((typed ?? "").replace("-", ""), "9647701112233")).toBe(true);
  await page.getByText("The phone is linked").waitFor();
  await page.context().close();
});

test("the page says so when its link has ended, and so does one that is opened later", async () => {
  const { page, url } = await open({ width: 390, colorScheme: "light", language: "en" });
  await scanned(page);
  await running.database.query({ text: "UPDATE pairing_links SET expires_at = now()" });
  await page.getByText("This link no longer works").waitFor();
  expect(await scan(page)).toBeNull();
  await page.goto(`${url}?lang=ar`);
  await page.getByText("لم يعد هذا الرابط صالحًا").waitFor();
  await page.getByRole("link", { name: "English" }).click();
  await page.getByText("This link no longer works").waitFor();
  await page.context().close();
});
