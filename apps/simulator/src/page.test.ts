// The page in a real browser: what bots send is seen, what is typed is received, signatures are judged before the eyes.
import { Api, InputFile } from "grammy";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { narrow, pictures, TestBrowser, wide } from "./fixtures/browser.ts";
import { deliver, receivedEvent, startWorld } from "./fixtures/world.ts";
import type { SimulatorWorld } from "./fixtures/world.ts";

const ZAINAB_ID = 700_000_001;
/** One red dot. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);
let browser: TestBrowser;
let world: SimulatorWorld;
let api: Api;

beforeAll(async () => void (browser = await TestBrowser.launch()));
afterAll(() => browser.close());
beforeEach(async () => {
  world = await startWorld();
  api = new Api(world.bot.token, { apiRoot: world.simulator.telegram.url });
});
afterEach(async () => {
  const faults = await browser.closePages();
  await world.close();
  expect(faults).toEqual([]);
});

function openPage(options?: BrowserContextOptions): Promise<Page> {
  return browser.open(world.botChat, options);
}

test("a picture sent by a bot is seen in its bubble with its caption, any other file is a link that saves it", async () => {
  const page = await openPage();
  await api.sendPhoto(ZAINAB_ID, new InputFile(PNG, "a.png"), { caption: "وصل طلبك" });
  await api.sendDocument(ZAINAB_ID, new InputFile(Buffer.from("%PDF"), "فاتورة.pdf"));
  const picture = page.locator(".bubble img.picture");
  await picture.waitFor();
  await page.waitForFunction("document.querySelector('img.picture').naturalWidth === 1");
  await page.locator(".bubble-text", { hasText: "وصل طلبك" }).waitFor();
  const link = page.locator(".bubble a.file");
  await link.getByText("فاتورة.pdf").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe("فاتورة.pdf");
  await page.screenshot({ path: `${pictures}files.png` });
});

test("an Arabic text sent by a bot appears on the phone, from right to left, while typing shows before it", async () => {
  const page = await openPage();
  await api.sendChatAction(ZAINAB_ID, "typing");
  await page.getByText("typing…").waitFor();
  await api.sendMessage(ZAINAB_ID, "مرحبا زينب 👋");
  const bubble = page.locator(".row.shop .bubble-text", { hasText: "مرحبا زينب 👋" });
  await bubble.waitFor();
  expect(
    await page.evaluate(
      "getComputedStyle(document.querySelector('.row.shop .bubble-text')).direction",
    ),
  ).toBe("rtl");
  expect(await page.getByText("typing…").count()).toBe(0);
});

test("what is typed on the phone is received by the bot", async () => {
  const page = await openPage();
  await page.getByLabel("Message", { exact: true }).fill("كم السعر؟");
  await page.keyboard.press("Enter");
  await page.locator(".row.person", { hasText: "كم السعر؟" }).waitFor();
  expect(await api.getUpdates()).toMatchObject([
    {
      message: {
        text: "كم السعر؟",
        from: { id: ZAINAB_ID, username: "zainab", language_code: "ar" },
      },
    },
  ]);
  expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("");
});

test("a signed delivery shows two ✓ and a tampered one two ✗", async () => {
  const page = await openPage();
  await deliver(world.url, { body: receivedEvent("كم السعر؟") });
  const first = page.locator('[data-delivery="1"]');
  await first.waitFor();
  expect(await first.locator(".sign").allTextContents()).toEqual(["✓", "✓"]);
  expect(await first.textContent()).toContain("message.received");
  await deliver(world.url, { body: receivedEvent("كم السعر؟"), sent: receivedEvent("مجانًا") });
  const second = page.locator('[data-delivery="2"]');
  await second.waitFor();
  expect(await second.locator(".sign").allTextContents()).toEqual(["✗", "✗"]);
  await second.getByText("Details").click();
  await second.locator("pre", { hasText: '"event_id": "evt_01"' }).waitFor();
});

test("what a message says is shown as text, never run as a page", async () => {
  const page = await openPage();
  const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await api.sendMessage(ZAINAB_ID, attack);
  await api.sendMessage(
    ZAINAB_ID,
    '<a href="javascript:alert(1)">here</a> <b>bold</b> https://shop.example/a',
    { parse_mode: "HTML" },
  );
  await deliver(world.url, { body: receivedEvent(attack) });
  await page.locator('[data-delivery="1"] .said-text').waitFor();
  expect(await page.locator(".row.shop").first().locator(".bubble-text").textContent()).toBe(
    attack,
  );
  expect(await page.locator(".device img, .log img, .device script").count()).toBe(0);
  expect(await page.locator(".mark-bold").textContent()).toBe("bold");
  expect(
    await page
      .locator(".stream a")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href"))),
  ).toEqual(["https://shop.example/a"]);
  expect(await page.title()).toBe("Simulator · Thikaa Messaging");
});

test("edits, deletions, buttons and blocking are followed", async () => {
  const page = await openPage();
  const sent = await api.sendMessage(ZAINAB_ID, "Confirm?", {
    reply_markup: { inline_keyboard: [[{ text: "نعم", callback_data: "yes" }]] },
  });
  await page.getByRole("button", { name: "نعم" }).click();
  await expect
    .poll(() => api.getUpdates({ timeout: 2 }))
    .toMatchObject([{ callback_query: { data: "yes" } }]);
  await api.editMessageText(ZAINAB_ID, sent.message_id, "Confirmed");
  await page.locator(".bubble", { hasText: "Confirmed" }).getByText("edited").waitFor();
  await api.deleteMessage(ZAINAB_ID, sent.message_id);
  await page.locator(".row").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByRole("button", { name: "Unblock" }).waitFor();
  await expect(api.sendMessage(ZAINAB_ID, "x")).rejects.toThrow("bot was blocked by the user");
});

test("the shop's reaction stands under what she wrote until it is taken back", async () => {
  const page = await openPage();
  const asked = world.simulator.telegram.personSays({
    personId: ZAINAB_ID,
    botId: world.bot.id,
    text: "متوفرة؟",
  });
  await api.setMessageReaction(ZAINAB_ID, asked.messageId, [{ type: "emoji", emoji: "👍" }]);
  const liked = page.locator(".row.person .reaction", { hasText: "👍" });
  await liked.waitFor();
  await api.setMessageReaction(ZAINAB_ID, asked.messageId, []);
  await liked.waitFor({ state: "detached" });
});

test("the language is changed, turns the page, and is remembered", async () => {
  const page = await openPage();
  expect(await page.locator("html").getAttribute("dir")).toBe("ltr");
  await page.getByRole("button", { name: "Switch the page to Arabic" }).click();
  expect(await page.locator("html").getAttribute("dir")).toBe("rtl");
  await page.reload();
  await page.getByRole("heading", { name: "المحاكي" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("ar");
});

test("with several bots there is a list, with what is unread", async () => {
  const second = world.simulator.telegram.addBot({ name: "Second shop" });
  const page = await browser.open(world.url);
  await page.locator(".chat-line").nth(1).waitFor();
  await new Api(second.token, { apiRoot: world.simulator.telegram.url }).sendMessage(
    ZAINAB_ID,
    "Hello from the second",
  );
  const line = page.locator(".chat-line", { hasText: "Second shop" });
  await line.locator(".badge").waitFor();
  await line.click();
  await page.locator(".bubble", { hasText: "Hello from the second" }).waitFor();
  await page.getByRole("button", { name: "Back to chats" }).click();
  expect(await line.locator(".badge").count()).toBe(0);
});

test("pictures of the empty page, of the list, and of a delivery's details", async () => {
  const page = await openPage();
  await page.screenshot({ path: `${pictures}1280-empty.png` });
  await fillWorld();
  const second = world.simulator.telegram.addBot({ name: "Second shop" });
  await new Api(second.token, { apiRoot: world.simulator.telegram.url }).sendMessage(
    ZAINAB_ID,
    "Hello from the second shop, this is a longer line",
  );
  await page.getByRole("button", { name: "Back to chats" }).click();
  await page.locator(".delivery summary").last().click();
  await page.locator(".badge", { hasText: "1" }).first().waitFor();
  await page.screenshot({ path: `${pictures}1280-list.png` });
  expect(await page.locator(".chat-line").count()).toBe(3);
});

test("pictures of the page at both widths, in both languages, light and dark; nothing is wider than the page", async () => {
  await fillWorld();
  for (const colorScheme of ["light", "dark"] as const) {
    for (const locale of ["en-GB", "ar-IQ"] as const) {
      for (const viewport of [wide, narrow]) {
        const page = await openPage({ viewport, locale, colorScheme });
        const name = `${viewport.width}-${locale.slice(0, 2)}-${colorScheme}`;
        await page.screenshot({ path: `${pictures}${name}-phone.png` });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
        if (viewport === narrow) {
          await page.locator(".tab").nth(1).click();
          await page.screenshot({ path: `${pictures}${name}-webhooks.png` });
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
        }
        await page.context().close();
      }
    }
  }
});

async function fillWorld(): Promise<void> {
  const { telegram } = world.simulator;
  const asked = telegram.personSays({
    personId: ZAINAB_ID,
    botId: world.bot.id,
    text: "مرحبا، كم سعر الحقيبة البنية؟",
  });
  await api.setMessageReaction(ZAINAB_ID, asked.messageId, [{ type: "emoji", emoji: "👍" }]);
  await deliver(world.url, { body: receivedEvent("مرحبا، كم سعر الحقيبة البنية؟") });
  await api.sendMessage(
    ZAINAB_ID,
    "أهلًا زينب 👋 سعرها <b>٤٥ ألف دينار</b>، والتوصيل مجاني داخل بغداد.",
    {
      parse_mode: "HTML",
      reply_parameters: { message_id: asked.messageId },
    },
  );
  await api.sendMessage(
    ZAINAB_ID,
    "Your order #18 is ready. Track it at https://shop.example/orders/18 or reply here.",
  );
  await api.sendMessage(ZAINAB_ID, "هل نؤكد الطلب؟", {
    reply_markup: {
      inline_keyboard: [
        [
          { text: "نعم، أكّد", callback_data: "yes" },
          { text: "لا", callback_data: "no" },
        ],
      ],
    },
  });
  telegram.personSays({ personId: ZAINAB_ID, botId: world.bot.id, text: "نعم" });
  await deliver(world.url, { body: receivedEvent("نعم"), sent: receivedEvent("لا") });
  await deliver(world.url, {
    name: "stranger",
    body: receivedEvent("Order 18, please. Thank you!"),
  });
}
