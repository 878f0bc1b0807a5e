// Chats that are not a person's own with the bot: business accounts and groups; and that an answer reaches where it came from.
import { afterAll, beforeAll, expect, test } from "vitest";
import { id, messageIdOf, received } from "./fixtures/received.ts";
import { mai, must, WholeLine, zainab } from "./fixtures/whole-line.ts";

let line: WholeLine;
beforeAll(async () => void (line = await WholeLine.open()), 60_000);
afterAll(() => line?.close());

const who = () => ({ personId: zainab.id, botId: line.bot.id });

test("a customer of a business account: told, edited, taken back", async () => {
  const { telegram, bot } = line;
  const businessId = telegram.connectBusiness({ botId: bot.id, ownerId: mai.id });
  const from = `${zainab.id}/${businessId}`;
  const said = telegram.saysToBusiness({ businessId, personId: zainab.id, text: "بكم؟" });
  const [first] = await line.told(1);
  const common = { from, provider_message_id: String(said.messageId) };
  expect(first).toEqual(received(line, { type: "text", message: "بكم؟", ...common }));
  const own = messageIdOf(first);
  telegram.editsInBusiness({
    businessId,
    personId: zainab.id,
    messageId: said.messageId,
    text: "كم؟",
  });
  expect(await line.told(1)).toEqual([
    received(line, { type: "edit", message: "كم؟", edited: true, refers_to: own, ...common }),
  ]);
  const second = telegram.saysToBusiness({ businessId, personId: zainab.id, text: "ألو" });
  const secondOwn = messageIdOf((await line.told(1))[0]);
  const messageIds = [said.messageId, second.messageId];
  telegram.deletesInBusiness({ businessId, personId: zainab.id, messageIds });
  const deletion = (messageId: number, refersTo: string) =>
    received(line, {
      type: "delete",
      from,
      contact: { id: id("cnt"), name: "زينب", phone: null, username: "zainab", locale: null },
      provider_message_id: String(messageId),
      refers_to: refersTo,
      sent_at: null,
    });
  expect(await line.told(2)).toEqual([
    deletion(said.messageId, own),
    deletion(second.messageId, secondOwn),
  ]);
});

test("what a business account's owner writes by hand is told as a message of the conversation that no key sent", async () => {
  const { telegram, bot } = line;
  const businessId = telegram.connectBusiness({ botId: bot.id, ownerId: mai.id });
  telegram.saysToBusiness({ businessId, personId: zainab.id, text: "بكم؟" });
  const [question] = await line.told(1);
  const said = { businessId, personId: zainab.id, text: "بعشرة", byOwner: true };
  const { messageId } = telegram.saysToBusiness(said);
  expect(await line.toldOfDevice()).toMatchObject({
    event: "message.status",
    data: {
      to: `${zainab.id}/${businessId}`,
      status: "sent",
      final: true,
      origin: "device",
      content: {
        conversation_id: question?.event === "message.received" && question.data.conversation_id,
        type: "text",
        message: "بعشرة",
        provider_message_id: String(messageId),
      },
    },
  });
});

test("what is said in a group is told as the group's, with whoever wrote as its contact", async () => {
  const groupId = line.telegram.addGroup({ ...who(), title: "الزبائن" });
  const text = "من عنده طاولة؟";
  const said = line.telegram.saysInGroup({ groupId, ...who(), text });
  expect(await line.told(1)).toEqual([
    received(line, {
      type: "text",
      from: String(groupId),
      author: String(zainab.id),
      message: text,
      provider_message_id: String(said.messageId),
    }),
  ]);
});

test.each(["private", "business", "group"] as const)(
  "the channel and from of a %s message, put into send, reach the same chat",
  async (kind) => {
    const { telegram, bot } = line;
    const businessId = telegram.connectBusiness({ botId: bot.id, ownerId: mai.id });
    const groupId = kind === "group" ? telegram.addGroup({ ...who(), title: "g" }) : 0;
    if (kind === "private") telegram.personSays({ ...who(), text: "؟" });
    else if (kind === "group") telegram.saysInGroup({ groupId, ...who(), text: "؟" });
    else telegram.saysToBusiness({ businessId, personId: zainab.id, text: "؟" });
    const [event] = await line.told(1);
    const { channel, from } = must(event?.event === "message.received" ? event.data : null);
    await line.sent("send", { channel, to: from, message: `الجواب ${kind}` });
    const chat =
      kind === "business"
        ? telegram.messagesOfBusiness(businessId, zainab.id)
        : telegram.messagesWith(kind === "group" ? groupId : zainab.id, bot.id);
    expect(chat.at(-1)).toMatchObject({ author: "bot", wire: { text: `الجواب ${kind}` } });
  },
);

test("what is said in a group is reacted to there; in a business account's chat Telegram takes no reaction", async () => {
  const { telegram, bot } = line;
  const groupId = telegram.addGroup({ ...who(), title: "الزبائن" });
  const { messageId } = telegram.saysInGroup({ groupId, ...who(), text: "شكرًا" });
  const inGroup = messageIdOf((await line.told(1))[0]);
  await line.sent("react", { message_id: inGroup, emoji: "🎉" });
  expect(
    telegram.messagesWith(groupId, bot.id).find(({ wire }) => wire.message_id === messageId),
  ).toMatchObject({ botReaction: "🎉" });
  const businessId = telegram.connectBusiness({ botId: bot.id, ownerId: mai.id });
  telegram.saysToBusiness({ businessId, personId: zainab.id, text: "شكرًا" });
  const atBusiness = messageIdOf((await line.told(1))[0]);
  const { body } = await line.call("react", { message_id: atBusiness, emoji: "🎉" });
  expect(await line.until(String(body["message_id"]), "failed")).toMatchObject({
    reason: { code: "reaction_not_available" },
  });
});
