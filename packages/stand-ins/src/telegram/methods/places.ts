// The methods that send a place or a card.
import { badRequest } from "../api-error.ts";
import { addMessage, topicOf, writableChat } from "../chats.ts";
import type { WireMessage } from "../wire.ts";
import { findReplied } from "./messages.ts";
import type { Method, MethodCall } from "./method.ts";
import { readInlineKeyboard } from "./reply-markup.ts";

/** A method whose content is read from its arguments. */
function sendContent(read: (call: MethodCall) => Partial<WireMessage>): Method {
  return (call) => {
    const { state, bot, callArguments } = call;
    const content = read(call);
    const replyMarkup = readInlineKeyboard(callArguments);
    const chat = writableChat(state, bot, callArguments);
    const replyTo = findReplied(chat, callArguments);
    const topicId = topicOf(chat, callArguments);
    const words = { formatted: null, content, replyTo, replyMarkup, topicId };
    const added = { author: "bot", ...words } as const;
    return { result: addMessage(state, chat, added).wire };
  };
}

export const sendLocation = sendContent((call) => ({ location: readPlace(call) }));

export const sendVenue = sendContent((call) => {
  const { callArguments } = call;
  const location = readPlace(call);
  const [title, address] = [callArguments.text("title"), callArguments.text("address")];
  if (title.trim() === "") throw badRequest("venue title must be non-empty");
  if (address.trim() === "") throw badRequest("venue address must be non-empty");
  return { venue: { location, title, address }, location };
});

export const sendContact = sendContent(({ callArguments }) => {
  const [phone, name] = [callArguments.text("phone_number"), callArguments.text("first_name")];
  if (phone.trim() === "") throw badRequest("phone number must be non-empty");
  if (name.trim() === "") throw badRequest("first name must be non-empty");
  const [last, vcard] = [callArguments.text("last_name"), callArguments.text("vcard")];
  return {
    contact: {
      phone_number: phone,
      first_name: name,
      ...(last === "" ? {} : { last_name: last }),
      ...(vcard === "" ? {} : { vcard }),
    },
  };
});

function readPlace({ callArguments }: MethodCall): { latitude: number; longitude: number } {
  const latitude = readDegrees(callArguments.text("latitude"), { name: "latitude", most: 90 });
  const longitude = readDegrees(callArguments.text("longitude"), { name: "longitude", most: 180 });
  return { latitude, longitude };
}

function readDegrees(text: string, { name, most }: { name: string; most: number }): number {
  if (text === "") throw badRequest(`${name} is empty`);
  const value = Number(text);
  if (!(Math.abs(value) <= most)) throw badRequest("wrong location specified");
  return value;
}
