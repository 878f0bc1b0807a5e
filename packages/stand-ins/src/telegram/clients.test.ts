// The stand-in against other people's clients, unmodified: what works with one of them works as at the real server.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clients, serve } from "./fixtures/clients.ts";
import type { Client, Press } from "./fixtures/clients.ts";
import type { TelegramStandIn } from "./contract.ts";
import { startWithChat, ZAINAB } from "./fixtures/world.ts";

const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);

describe.each(Object.entries(clients))("%s", (_name, connect) => {
  let standIn: TelegramStandIn;
  let client: Client;
  let botId: number;
  let token: string;
  let pictures: { url: string; close: () => Promise<void> };

  beforeEach(async () => {
    ({ standIn, botId, token } = await startWithChat());
    client = connect({ url: standIn.url, token, chatId: ZAINAB.id });
    pictures = await serve((_request, response) =>
      response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg),
    );
  });
  afterEach(async () => {
    await pictures.close();
    await standIn.close();
  });

  const who = () => ({ personId: ZAINAB.id, botId });
  const phone = () => standIn.messagesWith(ZAINAB.id, botId).map(({ wire }) => wire);
  const shown = (messageId: number) => phone().find((wire) => wire.message_id === messageId);

  test("getMe tells whose token it is", async () => {
    expect(await client.getMe()).toBe(botId);
  });

  test("texts, places and cards reach the phone", async () => {
    expect(shown(await client.sendMessage("مرحبا"))).toMatchObject({ text: "مرحبا" });
    expect(shown(await client.sendLocation(33.3, 44.4))).toMatchObject({
      location: { latitude: 33.3, longitude: 44.4 },
    });
    expect(shown(await client.sendContact("+9647700000001", "زينب"))).toMatchObject({
      contact: { phone_number: "+9647700000001", first_name: "زينب" },
    });
  });

  test("a photo by its address and an uploaded document reach the phone, and their bytes come back", async () => {
    const photo = shown(await client.sendPhoto(`${pictures.url}a.jpg`))?.photo?.at(-1);
    const document = shown(await client.sendDocument(jpeg, "my invoice (1) عقد.pdf"))?.document;
    expect(document?.file_name).toBe("my invoice (1) عقد.pdf");
    for (const file of [photo, document]) {
      const path = await client.filePath(file?.file_id ?? "");
      const answer = await fetch(`${standIn.url}/file/bot${token}/${path}`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(jpeg);
    }
  });

  test("an album of uploaded photos reaches the phone as one, the caption under the first", async () => {
    const other = Buffer.concat([jpeg, Buffer.from([5])]);
    const sent = (await client.sendAlbum([jpeg, other], "صورتان")).map(shown);
    expect(sent.map((wire) => [wire?.caption, wire?.photo?.at(-1)?.file_size])).toEqual([
      ["صورتان", jpeg.length],
      [undefined, other.length],
    ]);
    expect(sent[0]?.media_group_id).toMatch(/^\d+$/);
    expect(sent[1]?.media_group_id).toBe(sent[0]?.media_group_id);
  });

  test("a text goes into a forum's topic, and is refused where there is none", async () => {
    const groupId = standIn.addGroup({ ...who(), title: "المحل", isForum: true });
    const topicId = standIn.opensTopic({ ...who(), groupId, name: "الطلبات" });
    const sent = await client.sendTo(groupId, "وصل الطلب", topicId);
    const said = standIn.messagesWith(groupId, botId).map(({ wire }) => wire);
    expect(said.find((wire) => wire.message_id === sent)).toMatchObject({
      text: "وصل الطلب",
      message_thread_id: topicId,
      is_topic_message: true,
      chat: { type: "supergroup", is_forum: true },
    });
    await expect(client.sendTo(groupId, "تائه", 9_999)).rejects.toThrow("message thread not found");
    await expect(client.sendTo(ZAINAB.id, "تائه", topicId)).rejects.toThrow(
      "message thread not found",
    );
  });

  test("a channel is written to by its name, and its poller gets what others post there", async () => {
    const channelId = standIn.addChannel({ ...who(), title: "الأخبار", username: "shop_news" });
    const sent = await client.sendTo("@shop_news", "وصلت البضاعة");
    const posts: string[] = [];
    const told = Promise.withResolvers<void>();
    const stop = client.poll({
      text: () => {},
      press: () => {},
      post: (text) => (posts.push(text), told.resolve()),
    });
    standIn.postsInChannel({ channelId, botId, text: "من المالك" });
    await told.promise;
    await stop();
    expect(posts).toEqual(["من المالك"]);
    const [ours] = standIn.messagesWith(channelId, botId);
    expect(ours?.wire).toMatchObject({
      message_id: sent,
      sender_chat: { id: channelId, type: "channel", username: "shop_news" },
    });
    expect(ours?.wire).not.toHaveProperty("from");
  });

  test("a message is edited, and taken back", async () => {
    const id = await client.sendMessage("قبل");
    await client.edit(id, "بعد");
    expect(shown(id)).toMatchObject({ text: "بعد", edit_date: expect.any(Number) });
    await client.remove(id);
    expect(shown(id)).toBeUndefined();
    await expect(client.remove(id)).rejects.toThrow("message to delete not found");
  });

  test("its poller gets texts and presses, which it answers", async () => {
    const texts: string[] = [];
    const pressed = Promise.withResolvers<Press>();
    const stop = client.poll({ text: (text) => void texts.push(text), press: pressed.resolve });
    const messageId = await client.sendButton("تؤكد؟", "yes:18");
    standIn.personSays({ ...who(), text: "كم السعر؟" });
    standIn.personPresses({ ...who(), messageId, data: "yes:18" });
    const press = await pressed.promise;
    expect(press.data).toBe("yes:18");
    await client.answer(press.id);
    expect(texts).toEqual(["كم السعر؟"]);
    expect(standIn.record.calls({ method: "answerCallbackQuery", accepted: true })).toHaveLength(1);
    await stop();
  });

  test("its webhook takes a post with its secret, and the next update follows", async () => {
    const texts: string[] = [];
    const handler = client.handler(
      { text: (text) => void texts.push(text), press: () => {} },
      "Zk3_aB-91",
    );
    const hook = await serve(handler);
    await client.setWebhook(hook.url, "Zk3_aB-91");
    standIn.personSays({ ...who(), text: "أولًا" });
    standIn.personSays({ ...who(), text: "ثانيًا" });
    await standIn.record.until(() => standIn.record.webhookAttempts(botId).length === 2);
    expect(standIn.record.webhookAttempts(botId).map(({ status }) => status)).toEqual([200, 200]);
    expect(texts).toEqual(["أولًا", "ثانيًا"]);
    await hook.close();
  });

  test("a 429 says how long to wait, and then the message passes", async () => {
    standIn.faults.add({ kind: "throttled", retryAfter: 1, method: "sendMessage" });
    expect(shown(await client.sendPatiently("بعد قليل"))).toMatchObject({ text: "بعد قليل" });
    const calls = standIn.record.calls({ method: "sendMessage" });
    expect(calls.map(({ status }) => status)).toEqual([429, 200]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });
});
