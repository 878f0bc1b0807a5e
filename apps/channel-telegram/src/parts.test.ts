// A message of several parts, cut off between them: what was sent is not sent again, and nothing of it is missing.
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jpeg, startFileServer } from "./fixtures/files.ts";
import { addBot, World, zainab } from "./fixtures/world.ts";

let world: World;
let telegram: TelegramStandIn;
let bot: { id: number; token: string };
let connection: { id: string; storeId: string };
let photo: string;
beforeEach(async () => {
  world = await World.create();
  telegram = await world.standIn();
  bot = addBot(telegram);
  connection = await world.connect(bot.token);
  const web = await startFileServer();
  world.closeLater(() => web.close());
  photo = web.serve("/a.jpg", { bytes: jpeg, mime: "image/jpeg" });
  await world.start(telegram);
  await world.untilState(connection, "connected");
});
afterEach(() => world.close());

/** 5,000 Arabic letters in words: with a picture, three parts. */
const letters = "مرحبا بكم في متجرنا الجديد ".repeat(400).slice(0, 5_000).trim();
const queue = () =>
  world.queue(connection, zainab.id, { text: letters, media: { url: photo, kind: "image" } });
const sends = () =>
  telegram.record
    .calls()
    .filter(({ method }) => method.startsWith("send"))
    .map(({ method, parameters, outcome }) => [method, parameters["text"] ?? null, outcome]);
const onPhone = () =>
  telegram
    .messagesWith(zainab.id, bot.id)
    .filter(({ author }) => author === "bot")
    .map(({ wire }) => (wire.photo === undefined ? wire.text : "photo"));
/** Without white space, which is left out where a text is cut. */
const bare = (text: string) => text.replaceAll(/\s/g, "");

test("5,000 Arabic letters with a picture arrive whole and in order", async () => {
  await world.untilStatus(await queue(), "sent");
  const [first, ...texts] = onPhone();
  expect(first).toBe("photo");
  expect(texts).toHaveLength(2);
  expect(bare(texts.join(" "))).toBe(bare(letters));
});

test("reset between part 1 and part 2 of 3, the retry begins at part 2", async () => {
  telegram.faults.add({ kind: "reset_before_accept", method: "sendMessage" });
  const sent = await world.untilStatus(await queue(), "sent");
  const [second, third] = onPhone().slice(1);
  expect(sends()).toEqual([
    ["sendPhoto", null, "answered"],
    ["sendMessage", second, "reset_before_accept"],
    ["sendMessage", second, "answered"],
    ["sendMessage", third, "answered"],
  ]);
  expect(bare(`${second}${third}`)).toBe(bare(letters));
  // Nobody can know that the reset came before Telegram took the part.
  expect(sent.possible_duplicate).toBe(true);
});

test("refused between the parts by an error of Telegram's own, the retry begins at part 2, and nothing is doubled", async () => {
  telegram.faults.add({ kind: "server_error", method: "sendMessage" });
  const sent = await world.untilStatus(await queue(), "sent");
  expect(sends().map(([method]) => method)).toEqual([
    "sendPhoto",
    "sendMessage",
    "sendMessage",
    "sendMessage",
  ]);
  expect(onPhone()).toHaveLength(3);
  expect(sent.possible_duplicate).toBe(false);
});
