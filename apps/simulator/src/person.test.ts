// What a person does on the phone reaches the bot, and what the bot sends is seen: files, places, cards, answers, edits.
import { Api, InputFile } from "grammy";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { narrow, pictures, TestBrowser, wide } from "./fixtures/browser.ts";
import { startWorld } from "./fixtures/world.ts";
import type { SimulatorWorld } from "./fixtures/world.ts";

const zainab = 700_000_001;
/** A bag, large enough to look at. */
const bag =
  '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400"><rect width="640" height="400" fill="#c98f5b"/><rect x="190" y="130" width="260" height="190" rx="26" fill="#7a4a21"/><path d="M260 130c0-90 120-90 120 0" fill="none" stroke="#7a4a21" stroke-width="22"/></svg>';
const voice = Buffer.concat([Buffer.from("OggS"), Buffer.alloc(2_000)]);

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

async function attach(page: Page, choice: string): Promise<void> {
  await page.getByRole("button", { name: "Attach" }).click();
  await page.locator(".choice", { hasText: choice }).click();
}

/** Chooses a file as a person does in the browser's own window. */
async function choose(
  page: Page,
  choice: string,
  file: { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), attach(page, choice)]);
  await chooser.setFiles(file);
}

const written = (page: Page) => page.getByLabel("Message", { exact: true });

test("a photo goes out with the words in the box as its caption, and is seen on the phone", async () => {
  const page = await browser.open(world.botChat);
  await written(page).fill("هل هذه متوفرة؟");
  await choose(page, "Photo", {
    name: "bag.jpg",
    mimeType: "image/jpeg",
    buffer: await browser.photograph(bag),
  });
  await page.locator(".row.person img.picture.photo").waitFor();
  expect(await api.getUpdates()).toMatchObject([
    { message: { caption: "هل هذه متوفرة؟", photo: expect.any(Array) } },
  ]);
  expect(await written(page).inputValue()).toBe("");
});

test("a file keeps its name, a voice message plays", async () => {
  const page = await browser.open(world.botChat);
  await choose(page, "File", {
    name: "فاتورة 18.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF-1.4"),
  });
  await page.locator(".row.person a.file", { hasText: "فاتورة 18.pdf" }).waitFor();
  await choose(page, "Voice", { name: "v.ogg", mimeType: "audio/ogg", buffer: voice });
  await page.locator(".row.person audio.voice").waitFor();
  expect(await api.getUpdates()).toMatchObject([
    { message: { document: { file_name: "فاتورة 18.pdf" } } },
    { message: { voice: { file_size: voice.length } } },
  ]);
});

test("a location and a contact are filled in and sent", async () => {
  const page = await browser.open(world.botChat);
  await attach(page, "Location");
  await page.getByLabel("Latitude").fill("30.5085");
  await page.getByLabel("Longitude").fill("47.7804");
  await page.locator(".fields").getByRole("button", { name: "Send" }).click();
  await page.locator(".row.person .place", { hasText: "30.5085, 47.7804" }).waitFor();
  await attach(page, "Contact");
  await page.locator(".fields").getByRole("button", { name: "Send" }).click();
  await page.locator(".row.person .card", { hasText: "حسن" }).waitFor();
  expect(await api.getUpdates()).toMatchObject([
    { message: { location: { latitude: 30.5085, longitude: 47.7804 } } },
    { message: { contact: { first_name: "حسن", phone_number: "+9647800000002" } } },
  ]);
});

test("a message is answered, an own one is edited, and leaving the edit empties the box", async () => {
  const page = await browser.open(world.botChat);
  const asked = await api.sendMessage(zainab, "Which colour?");
  const row = page.locator(`[data-message="${asked.message_id}"]`);
  await row.hover();
  await row.getByRole("button", { name: "Reply" }).click();
  await page.locator(".purpose", { hasText: "Which colour?" }).waitFor();
  await page.keyboard.type("Brwn");
  await page.keyboard.press("Enter");
  const own = page.locator(".row.person", { hasText: "Brwn" });
  await own.locator(".quote", { hasText: "Which colour?" }).waitFor();
  await own.hover();
  await own.getByRole("button", { name: "Edit" }).click();
  expect(await written(page).inputValue()).toBe("Brwn");
  await written(page).fill("Brown");
  await page.keyboard.press("Enter");
  const mended = page.locator(".row.person", { hasText: "Brown" });
  await mended.getByText("edited").waitFor();
  await mended.hover();
  await mended.getByRole("button", { name: "Edit" }).click();
  await page.keyboard.press("Escape");
  expect(await written(page).inputValue()).toBe("");
  expect(await api.getUpdates()).toMatchObject([
    { message: { text: "Brwn", reply_to_message: { message_id: asked.message_id } } },
    { edited_message: { text: "Brown" } },
  ]);
});

test("blocking and unblocking are told to the bot", async () => {
  const page = await browser.open(world.botChat);
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByRole("button", { name: "Unblock" }).click();
  await page.getByRole("button", { name: "Block", exact: true }).waitFor();
  expect(await api.getUpdates()).toMatchObject([
    { my_chat_member: { new_chat_member: { status: "kicked" } } },
    { my_chat_member: { new_chat_member: { status: "member" } } },
  ]);
});

test("what can't be sent is said, and the words stay", async () => {
  const page = await browser.open(world.botChat);
  await attach(page, "Contact");
  await page.getByLabel("Phone number").fill("none");
  await page.locator(".fields").getByRole("button", { name: "Send" }).click();
  await page.getByRole("alert").getByText("A phone number is 5 to 15 digits.").waitFor();
  expect(browser.faults.splice(0)).toEqual([expect.stringContaining("400")]);
});

test("places, cards and voices of a bot are seen", async () => {
  const page = await browser.open(world.botChat);
  await api.sendVenue(zainab, 33.3152, 44.3661, "متجر بغداد", "شارع المتنبي");
  await api.sendContact(zainab, "+9647700000009", "Shop", { last_name: "Desk" });
  await api.sendVoice(zainab, new InputFile(voice, "v.ogg"));
  await page.locator(".row.shop .place", { hasText: "متجر بغداد" }).waitFor();
  await page.locator(".row.shop .card", { hasText: "+9647700000009" }).waitFor();
  await page.locator(".row.shop audio.voice").waitFor();
  expect(await page.locator(".row.shop").count()).toBe(3);
});

test("pictures of all that is sent and received, at both widths, in both languages, light and dark; nothing is wider than the page", async () => {
  await fillChat(await browser.photograph(bag));
  for (const colorScheme of ["light", "dark"] as const)
    for (const locale of ["en-GB", "ar-IQ"] as const)
      for (const viewport of [wide, narrow]) {
        const page = await browser.open(world.botChat, { viewport, locale, colorScheme });
        const name = `person-${viewport.width}-${locale.slice(0, 2)}-${colorScheme}`;
        await expect.poll(() => page.evaluate(isAtEnd)).toBe(true);
        await page.screenshot({ path: `${pictures}${name}-end.png` });
        await page
          .locator(".stream")
          .evaluate("(stream) => stream.scrollTo(0, -stream.scrollHeight)");
        await page.locator(".attach").click();
        await page.locator(".row").nth(1).hover();
        await page.screenshot({ path: `${pictures}${name}-start.png` });
        await page.locator(".choice").nth(3).click();
        await page.locator(".row").nth(0).locator(".deed").first().click();
        await page.screenshot({ path: `${pictures}${name}-form.png` });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
        await page.context().close();
      }
  browser.faults.length = 0;
}, 120_000);

/** Every picture is there, and the last message is in sight. */
const isAtEnd =
  '[...document.images].every((image) => image.naturalWidth > 0) && document.querySelector(".stream").scrollTop === 0';

async function fillChat(image: Buffer): Promise<void> {
  const { telegram } = world.simulator;
  const botId = world.bot.id;
  const pair = { personId: zainab, botId };
  const asked = telegram.personSendsFile({
    ...pair,
    kind: "photo",
    bytes: image,
    caption: "هل هذه الحقيبة متوفرة؟",
  });
  await api.sendMessage(zainab, "نعم، متوفرة بلونين. أيّهما تفضّلين؟", {
    reply_parameters: { message_id: asked.messageId },
    reply_markup: {
      inline_keyboard: [
        [
          { text: "بنّي", callback_data: "brown" },
          { text: "أسود", callback_data: "black" },
        ],
        [{ text: "كل الصور", url: "https://shop.example/bags" }],
      ],
    },
  });
  const brown = telegram.personSays({ ...pair, text: "بني" });
  telegram.personEdits({ ...pair, messageId: brown.messageId, text: "البنّي، من فضلك" });
  await api.sendPhoto(zainab, new InputFile(image, "bag.jpg"), {
    caption: "Here it is, order 18.",
  });
  await api.sendDocument(zainab, new InputFile(Buffer.alloc(184_000), "invoice 18.pdf"));
  telegram.personSendsPlace({ ...pair, latitude: 33.3152, longitude: 44.3661 });
  await api.sendVenue(zainab, 33.3386, 44.3939, "متجر بغداد", "شارع المتنبي، بغداد");
  telegram.personSendsCard({ ...pair, firstName: "حسن", phoneNumber: "+9647800000002" });
  await api.sendVoice(zainab, new InputFile(voice, "v.ogg"));
  telegram.personSendsFile({ ...pair, kind: "voice", bytes: voice });
}
