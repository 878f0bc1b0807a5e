// What people send beside words and files, chats that are not a person's own, and the methods for them: as the real server writes and refuses.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, startWithChat, ZAINAB } from "./fixtures/world.ts";

const OWNER = { id: 700_000_009, firstName: "Owner" };
const picture = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2]);

let standIn: TelegramStandIn;
let botId: number;
let token: string;
beforeEach(async () => {
  ({ standIn, botId, token } = await startWithChat());
  standIn.addPerson(OWNER);
});
afterEach(() => standIn.close());

const who = () => ({ personId: ZAINAB.id, botId });
const method = async (name: string, body: object): Promise<Record<string, unknown>> =>
  (await call(`${standIn.url}/bot${token}/${name}`, body)).body;
/** What waits for the bot, without the numbers. */
const updates = async (allowed: string[] = []): Promise<Record<string, unknown>[]> => {
  const { result } = await method("getUpdates", { allowed_updates: allowed });
  return (result as Record<string, unknown>[]).map(({ update_id: _id, ...update }) => update);
};

test("a place, a named place and a card come as Telegram writes them", async () => {
  const place = { latitude: 33.3, longitude: 44.4 };
  standIn.personSendsPlace({ ...who(), ...place });
  standIn.personSendsPlace({ ...who(), ...place, venue: { title: "المكتب", address: "شارع" } });
  standIn.personSendsCard({ ...who(), phoneNumber: "+964", firstName: "Z", userId: ZAINAB.id });
  expect(await updates()).toMatchObject([
    { message: { location: place } },
    { message: { location: place, venue: { location: place, title: "المكتب" } } },
    { message: { contact: { phone_number: "+964", first_name: "Z", user_id: ZAINAB.id } } },
  ]);
});

test("an album is one message a file, with one media_group_id", async () => {
  standIn.personSendsAlbum({
    ...who(),
    files: [
      { kind: "photo", bytes: picture, caption: "الصور" },
      { kind: "document", bytes: picture, name: "a.pdf" },
    ],
  });
  const [first, second] = (await updates()) as { message: { media_group_id: string } }[];
  expect(first).toMatchObject({ message: { caption: "الصور", photo: expect.any(Array) } });
  expect(second).toMatchObject({ message: { document: { file_name: "a.pdf" } } });
  expect(second?.message.media_group_id).toBe(first?.message.media_group_id);
});

test("an animation stands there twice, and a video note has no name", async () => {
  standIn.personSendsFile({ ...who(), kind: "animation", bytes: picture, name: "a.mp4" });
  standIn.personSendsFile({ ...who(), kind: "video_note", bytes: picture, name: "b.mp4" });
  const [animation, note] = (await updates()) as { message: Record<string, object> }[];
  const { animation: moving, document } = animation?.message ?? {};
  expect(moving).toMatchObject(document ?? {});
  expect(document).toHaveProperty("file_id");
  expect(note?.message["video_note"]).not.toHaveProperty("file_name");
});

test("a reaction is told only to a bot that asks for it by name", async () => {
  const { messageId } = standIn.personSays({ ...who(), text: "؟" });
  expect(standIn.personReacts({ ...who(), messageId, emoji: "👍" })).toBeNull();
  await updates(["message", "message_reaction"]);
  standIn.personReacts({ ...who(), messageId, emoji: null });
  // The same offset again at once would be given one update alone.
  standIn.clock.advance(4_000);
  expect((await updates()).at(-1)).toMatchObject({
    message_reaction: {
      message_id: messageId,
      user: { id: ZAINAB.id },
      old_reaction: [{ type: "emoji", emoji: "👍" }],
      new_reaction: [],
    },
  });
});

test("the bot's one reaction stands at a message of either side until it takes it back, and an edit leaves it", async () => {
  const { messageId } = standIn.personSays({ ...who(), text: "شكرًا" });
  const sent = await method("sendMessage", { chat_id: ZAINAB.id, text: "أهلًا" });
  const { message_id: own } = sent["result"] as { message_id: number };
  const seen: string[] = [];
  standIn.onChange(({ type }) => seen.push(type));
  const react = (message_id: number, ...emoji: string[]) =>
    method("setMessageReaction", {
      chat_id: ZAINAB.id,
      message_id,
      reaction: emoji.map((one) => ({ type: "emoji", emoji: one })),
    });
  const shown = () =>
    standIn
      .messagesWith(ZAINAB.id, botId)
      .slice(-2)
      .map(({ botReaction }) => botReaction ?? null);
  for (const [id, emoji] of [
    [messageId, "👍"],
    [messageId, "❤‍🔥"],
    [messageId, "❤‍🔥"],
    [own, "🎉"],
  ] as const)
    expect(await react(id, emoji)).toEqual({ ok: true, result: true });
  standIn.personEdits({ ...who(), messageId, text: "شكرًا!" });
  expect(shown()).toEqual(["❤‍🔥", "🎉"]);
  expect(await react(messageId)).toEqual({ ok: true, result: true });
  expect(shown()).toEqual([null, "🎉"]);
  expect(seen.filter((type) => type === "reaction")).toHaveLength(5);

  const refusals: [number, string[], string][] = [
    [999, ["👍"], "message to react not found"],
    [own, ["❤️"], "REACTION_INVALID"],
    [own, ["🧃"], "REACTION_INVALID"],
    [own, ["👍", "👎"], "REACTIONS_TOO_MANY"],
  ];
  for (const [id, emoji, description] of refusals)
    expect(await react(id, ...emoji)).toEqual({
      ok: false,
      error_code: 400,
      description: `Bad Request: ${description}`,
    });
});

test("a group has an id below nothing, and the bot may write there", async () => {
  const groupId = standIn.addGroup({ ...who(), title: "الزبائن" });
  standIn.saysInGroup({ groupId, ...who(), text: "مرحبا" });
  expect(groupId).toBeLessThan(0);
  expect(await updates()).toMatchObject([
    { my_chat_member: { chat: { id: groupId, type: "supergroup", title: "الزبائن" } } },
    { message: { chat: { id: groupId }, from: { id: ZAINAB.id }, text: "مرحبا" } },
  ]);
  expect(await method("sendMessage", { chat_id: groupId, text: "أهلًا" })).toMatchObject({
    result: { chat: { id: groupId } },
  });
});

test("a business account's chat is another than the bot's own with the same person", async () => {
  const businessId = standIn.connectBusiness({ botId, ownerId: OWNER.id });
  const said = standIn.saysToBusiness({ businessId, personId: ZAINAB.id, text: "بكم؟" });
  standIn.saysToBusiness({ businessId, personId: ZAINAB.id, text: "بعشرة", byOwner: true });
  const business_connection_id = businessId;
  const answer = await method("sendMessage", {
    business_connection_id,
    chat_id: ZAINAB.id,
    text: "أهلًا",
  });
  expect(answer).toMatchObject({ result: { sender_business_bot: { id: botId } } });
  expect(standIn.messagesOfBusiness(businessId, ZAINAB.id)).toHaveLength(3);
  standIn.deletesInBusiness({ businessId, personId: ZAINAB.id, messageIds: [said.messageId] });
  expect(await updates()).toMatchObject([
    { business_connection: { id: businessId, is_enabled: true } },
    { business_message: { business_connection_id, from: { id: ZAINAB.id } } },
    { business_message: { business_connection_id, from: { id: OWNER.id } } },
    { deleted_business_messages: { business_connection_id, message_ids: [said.messageId] } },
  ]);
  const { message_id } = answer["result"] as { message_id: number };
  const deletion = { business_connection_id, message_ids: [message_id] };
  expect(await method("deleteBusinessMessages", deletion)).toMatchObject({ result: true });
  expect(standIn.messagesOfBusiness(businessId, ZAINAB.id)).toHaveLength(1);
});

test.each<[string, object, string]>([
  ["sendLocation", { longitude: 1 }, "latitude is empty"],
  ["sendLocation", { latitude: 91, longitude: 1 }, "wrong location specified"],
  ["sendVenue", { latitude: 1, longitude: 1, address: "x" }, "venue title must be non-empty"],
  ["sendContact", { first_name: "x" }, "phone number must be non-empty"],
  [
    "sendMessage",
    { business_connection_id: "bc_other", text: "x" },
    "business connection not found",
  ],
  ["editMessageCaption", { message_id: 9_999, caption: "x" }, "message to edit not found"],
])("%s with %j is refused: %s", async (name, parameters, description) => {
  expect(await method(name, { chat_id: ZAINAB.id, ...parameters })).toMatchObject({
    ok: false,
    error_code: 400,
    description: `Bad Request: ${description}`,
  });
});

test("a caption is edited where there is a file, a text where there is none", async () => {
  const { result } = await method("sendMessage", { chat_id: ZAINAB.id, text: "قبل" });
  const { message_id } = result as { message_id: number };
  const edit = { chat_id: ZAINAB.id, message_id, caption: "بعد" };
  expect(await method("editMessageCaption", edit)).toMatchObject({
    description: "Bad Request: there is no caption in the message to edit",
  });
});

test("the control API has the same actions", async () => {
  const control = (name: string, body: object) =>
    call(`${standIn.url}/stand-in/telegram/${name}`, body);
  const place = await control("places", { ...who(), latitude: 1, longitude: 2 });
  await control("cards", { ...who(), phoneNumber: "+964", firstName: "Z" });
  const { messageId } = place.body as { messageId: number };
  const reaction = await control("reactions", { ...who(), messageId, emoji: "👍" });
  expect(reaction.body).toEqual({ updateId: null });
  expect(await updates()).toMatchObject([
    { message: { location: { latitude: 1, longitude: 2 } } },
    { message: { contact: { phone_number: "+964" } } },
  ]);
});

test.each([
  ["no media", {}, "there are no messages to send"],
  ["what is no JSON", { media: "{" }, "can't parse media JSON object"],
  ["what is no list", { media: { type: "photo" } }, "expected an Array of InputMedia"],
  ["an empty list", { media: [] }, "there are no messages to send"],
  [
    "eleven files",
    { media: Array.from({ length: 11 }, () => ({ type: "photo", media: "x" })) },
    "too much messages to send as an album",
  ],
  [
    "a document beside a photo",
    {
      media: [
        { type: "photo", media: "x" },
        { type: "document", media: "y" },
      ],
    },
    "Document can't be mixed with other media types",
  ],
  [
    "a voice",
    { media: [{ type: "voice", media: "x" }] },
    'type "voice" can\'t be used in sendMediaGroup',
  ],
  [
    "an unknown file",
    { media: [{ type: "photo", media: "AgAC_none" }] },
    "wrong file identifier/HTTP URL specified",
  ],
])("an album of %s is refused whole", async (_what, body, description) => {
  const before = standIn.messagesWith(ZAINAB.id, botId).length;
  const answer = await method("sendMediaGroup", { chat_id: ZAINAB.id, ...body });
  expect(answer).toMatchObject({ ok: false, description: `Bad Request: ${description}` });
  expect(standIn.messagesWith(ZAINAB.id, botId)).toHaveLength(before);
});

test("what stands in a topic says so, and the general topic's has none", async () => {
  const groupId = standIn.addGroup({ ...who(), title: "المحل", isForum: true });
  const topicId = standIn.opensTopic({ ...who(), groupId, name: "الطلبات" });
  standIn.saysInGroup({ ...who(), groupId, topicId, text: "في الموضوع" });
  standIn.saysInGroup({ ...who(), groupId, text: "في العام" });
  const messages = (await updates()).flatMap(({ message }) => message ?? []);
  expect(messages).toMatchObject([
    { message_id: topicId, message_thread_id: topicId, forum_topic_created: { name: "الطلبات" } },
    { text: "في الموضوع", message_thread_id: topicId, is_topic_message: true },
    { text: "في العام", chat: { id: groupId, is_forum: true } },
  ]);
  expect(messages[2]).not.toHaveProperty("message_thread_id");
});

test("a channel's posts and their edits come as the channel's", async () => {
  const channelId = standIn.addChannel({ ...who(), title: "الأخبار" });
  const post = { channelId, botId, text: "أولًا" };
  const { messageId } = standIn.postsInChannel(post);
  standIn.editsInChannel({ ...post, messageId, text: "ثانيًا" });
  const chat = { id: channelId, title: "الأخبار", type: "channel" };
  const [joined, first, second] = await updates();
  expect(joined).toMatchObject({
    my_chat_member: { chat, new_chat_member: { status: "administrator" } },
  });
  expect(first).toMatchObject({ channel_post: { sender_chat: chat, chat, text: "أولًا" } });
  expect(second).toMatchObject({ edited_channel_post: { message_id: messageId, text: "ثانيًا" } });
  expect(first?.["channel_post"]).not.toHaveProperty("from");
});
