// WhatsApp on the page: what the shop and Zainab say and do in their chat, and the shop's phone.
import type { PhoneContent } from "@thikaa/stand-ins";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { narrow, pictures, TestBrowser, wide } from "./fixtures/browser.ts";
import { startWorld } from "./fixtures/world.ts";
import type { SimulatorWorld } from "./fixtures/world.ts";
import { SHOP, ZAINAB } from "./people.ts";

const bag =
  '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400"><rect width="640" height="400" fill="#c98f5b"/><rect x="190" y="130" width="260" height="190" rx="26" fill="#7a4a21"/></svg>';
const voice = Buffer.concat([Buffer.from("OggS"), Buffer.alloc(2_000)]);

let browser: TestBrowser;
let world: SimulatorWorld;
beforeAll(async () => void (browser = await TestBrowser.launch()));
afterAll(() => browser.close());
beforeEach(async () => void (world = await startWorld()));
afterEach(async () => {
  const faults = await browser.closePages();
  await world.close();
  expect(faults).toEqual([]);
});

const chatAddress = () => `${world.url}#wd-${SHOP.number}`;
const whatsapp = () => world.simulator.whatsapp;
const shopSends = (content: PhoneContent, replyTo?: string) =>
  whatsapp().send({ from: SHOP.number, to: ZAINAB.number, content, replyTo });
/** The chat as the shop's phone has it. */
const atShop = () => whatsapp().messages(SHOP.number, ZAINAB.number);

async function doTo(row: Locator, deed: string): Promise<void> {
  await row.hover();
  await row.getByRole("button", { name: deed, exact: true }).click();
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

async function choose(
  page: Page,
  choice: string,
  file: { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  await page.getByRole("button", { name: "Attach" }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.locator(".choice", { hasText: choice }).click(),
  ]);
  await chooser.setFiles(file);
}

test("her chats of both apps stand in one list, each with its mark; what she reads is told, and typing is seen both ways", async () => {
  const page = await browser.open(world.url);
  const line = page.locator(".chat-line", { has: page.locator(".channel.wd") });
  await line.getByText("WhatsApp").waitFor();
  expect(await page.locator(".chat-line .channel.tg").count()).toBe(1);
  await shopSends({ kind: "text", text: "مرحبا زينب 👋" });
  await line.locator(".badge", { hasText: "1" }).waitFor();
  expect(atShop()).toMatchObject([{ status: "delivered" }]);
  await line.click();
  await page.locator(".row.shop .bubble-text", { hasText: "مرحبا زينب 👋" }).waitFor();
  await expect.poll(atShop).toMatchObject([{ status: "read" }]);

  whatsapp().type({ phone: SHOP.number, to: ZAINAB.number, state: "composing" });
  await page.getByText("typing…").waitFor();
  whatsapp().type({ phone: SHOP.number, to: ZAINAB.number, state: "paused" });
  await page.getByText("typing…").waitFor({ state: "detached" });
  const typing: string[] = [];
  whatsapp().onChange((change) => {
    if (change.type === "typing" && change.phone === SHOP.number) typing.push(change.state);
  });
  await page.getByLabel("Message", { exact: true }).pressSequentially("كم");
  await expect.poll(() => typing).toEqual(["composing"]);
  await page.getByLabel("Message", { exact: true }).fill("");
  await expect.poll(() => typing).toEqual(["composing", "paused"]);
});

test("she writes, answers, changes, reacts and deletes; ticks tell what became of it", async () => {
  const { messageId: asked } = await shopSends({ kind: "text", text: "أي لون؟" });
  const page = await browser.open(chatAddress());
  const theirs = page.locator(".row.shop");
  await doTo(theirs, "Reply");
  await write(page, "بنّ");
  const own = page.locator(".row.person");
  await own.locator(".quote", { hasText: "أي لون؟" }).waitFor();
  await own.getByRole("img", { name: "delivered" }).waitFor();
  await doTo(own, "Edit");
  await write(page, "بنّي");
  await own.getByText("edited").waitFor();
  whatsapp().read({ phone: SHOP.number, chat: ZAINAB.number });
  await own.getByRole("img", { name: "read" }).waitFor();
  await doTo(theirs, "React");
  await theirs.getByRole("button", { name: "👍" }).click();
  await theirs.locator(".reaction", { hasText: "👍" }).waitFor();
  expect(atShop()).toMatchObject([
    { messageId: asked, reaction: "👍" },
    { content: { text: "بنّي" }, replyTo: asked, edited: true },
  ]);
  await shopSends({ kind: "reaction", messageId: atShop().at(-1)?.messageId ?? "", emoji: "❤️" });
  await own.getByRole("img", { name: "Reaction ❤️" }).waitFor();
  await doTo(own, "Delete");
  await own.getByText("This message was deleted").waitFor();
  expect(atShop().at(-1)).toMatchObject({ content: null, deleted: true });
});

test("files, places and cards go both ways, byte for byte", async () => {
  const photo = await browser.photograph(bag);
  const page = await browser.open(chatAddress());
  await page.getByLabel("Message", { exact: true }).fill("هل هذه متوفرة؟");
  await choose(page, "Photo", { name: "bag.jpg", mimeType: "image/jpeg", buffer: photo });
  await page.locator(".row.person img.picture.photo").waitFor();
  await choose(page, "File", {
    name: "فاتورة.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.from("%PDF-1.4"),
  });
  await page.locator(".row.person a.file", { hasText: "فاتورة.pdf" }).waitFor();
  await choose(page, "Voice", { name: "v.ogg", mimeType: "audio/ogg", buffer: voice });
  await page.locator(".row.person audio.voice").waitFor();
  for (const choice of ["Location", "Contact"]) {
    await page.getByRole("button", { name: "Attach" }).click();
    await page.locator(".choice", { hasText: choice }).click();
    await page.locator(".fields").getByRole("button", { name: "Send" }).click();
  }
  await page.locator(".row.person .place").waitFor();
  await page.locator(".row.person .card", { hasText: "حسن" }).waitFor();
  expect(atShop().map(({ content }) => content)).toMatchObject([
    { kind: "image", caption: "هل هذه متوفرة؟", mime: "image/jpeg" },
    { kind: "document", name: "فاتورة.pdf", mime: "application/pdf" },
    { kind: "voice", mime: "audio/ogg" },
    { kind: "location", latitude: 33.3152, longitude: 44.3661 },
    { kind: "contact", name: "حسن", phones: ["+9647800000002"] },
  ]);
  const [sent] = atShop();
  expect(
    Buffer.from(whatsapp().media(SHOP.number, sent?.messageId ?? "") ?? []).equals(photo),
  ).toBe(true);

  await shopSends({ kind: "document", bytes: Buffer.from("%PDF-1.7"), name: "عقد ١٨.pdf" });
  const link = page.locator(".row.shop a.file", { hasText: "عقد ١٨.pdf" });
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe("عقد ١٨.pdf");
  await shopSends({ kind: "location", latitude: 33.3, longitude: 44.4, name: "متجر بغداد" });
  await page.locator(".row.shop .place", { hasText: "متجر بغداد" }).waitFor();
});

test("the shop's phone says what is no code, and what a code is not of", async () => {
  const page = await browser.open(world.url);
  await page.getByRole("button", { name: "Shop", exact: true }).click();
  await page.getByText("No linked devices").waitFor();
  await page.locator(".drop input").setInputFiles({
    name: "bag.jpg",
    mimeType: "image/jpeg",
    buffer: await browser.photograph(bag),
  });
  await page
    .getByRole("alert")
    .getByText("There is no QR code to be read in this picture.")
    .waitFor();
  await page.getByLabel("Or the 8-character code").fill("abc");
  await page
    .locator("form", { has: page.getByLabel("Or the 8-character code") })
    .getByRole("button", { name: "Link" })
    .click();
  await page.getByRole("alert").getByText("A code is eight letters and digits.").waitFor();
  expect(browser.faults.splice(0)).toEqual([expect.stringContaining("400")]);
});

test("pictures of the list, the chat and the shop's phone, in both languages; nothing is wider than the page", async () => {
  await fillChat(await browser.photograph(bag));
  const looks = [
    { locale: "en-GB", colorScheme: "light", viewport: wide },
    { locale: "ar-IQ", colorScheme: "dark", viewport: wide },
    { locale: "en-GB", colorScheme: "dark", viewport: narrow },
    { locale: "ar-IQ", colorScheme: "light", viewport: narrow },
  ] as const;
  for (const look of looks) {
    const page = await browser.open(chatAddress(), look);
    const name = `${pictures}whatsapp-${look.viewport.width}-${look.locale.slice(0, 2)}-${look.colorScheme}`;
    await expect.poll(() => page.evaluate(isAtEnd)).toBe(true);
    await page.screenshot({ path: `${name}-chat.png` });
    await doTo(page.locator(".row.shop").first(), look.locale === "en-GB" ? "React" : "تفاعل");
    await page.locator(".stream").screenshot({ path: `${name}-emoji.png` });
    await page.locator(".phone-bar .icon-button").first().click();
    await page.screenshot({ path: `${name}-list.png` });
    await page.locator(".holder").last().click();
    await page.screenshot({ path: `${name}-shop.png` });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(look.viewport.width);
    await page.context().close();
  }
}, 60_000);

/** Every picture is there, and the last message is in sight. */
const isAtEnd =
  '[...document.images].every((image) => image.naturalWidth > 0) && document.querySelector(".stream").scrollTop === 0';

async function fillChat(image: Buffer): Promise<void> {
  const zainabSends = (content: PhoneContent, replyTo?: string) =>
    whatsapp().send({ from: ZAINAB.number, to: SHOP.number, content, replyTo });
  await zainabSends({ kind: "image", bytes: image, mime: "image/jpeg", caption: "هل هذه متوفرة؟" });
  const [asked] = atShop();
  const answer = await shopSends(
    { kind: "text", text: "نعم، بلونين. أيّهما تفضّلين؟" },
    asked?.messageId,
  );
  await zainabSends({ kind: "reaction", messageId: answer.messageId, emoji: "❤️" });
  const brown = await zainabSends({ kind: "text", text: "بني" });
  await zainabSends({ kind: "edit", messageId: brown.messageId, text: "البنّي، من فضلك" });
  await shopSends({ kind: "document", bytes: Buffer.alloc(184_000), name: "invoice 18.pdf" });
  const gone = await zainabSends({ kind: "text", text: "x" });
  await zainabSends({ kind: "delete", messageId: gone.messageId });
  await shopSends({ kind: "reaction", messageId: brown.messageId, emoji: "👍" });
  whatsapp().read({ phone: SHOP.number, chat: ZAINAB.number });
  await zainabSends({ kind: "text", text: "Thank you! شكرًا 🙏" });
}
