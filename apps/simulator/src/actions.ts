// What the page may do with the phone: each action by its name, with the shape of its body.
import { z } from "zod";
import type { Phone } from "./phone.ts";

type Action = (phone: Phone, body: unknown) => void;

const id = z.number().int();
const text = z.string().min(1).max(4096);
const sendShape = z.strictObject({ botId: id, text, replyTo: id.optional() });
const editShape = z.strictObject({ botId: id, messageId: id, text });
const placeShape = z.strictObject({
  botId: id,
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  replyTo: id.optional(),
});
const cardShape = z.strictObject({
  botId: id,
  name: z.string().trim().min(1).max(64),
  phone: z.string().regex(/^\+?\d{5,15}$/, "A phone number is 5 to 15 digits."),
});
const pressShape = z.strictObject({ botId: id, messageId: id, data: z.string() });
const blockShape = z.strictObject({ botId: id, blocked: z.boolean() });

/** By the last word of the path; each throws in plain words for a body that is not right. */
export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    "send",
    (phone, body) => {
      const { botId, ...said } = sendShape.parse(body);
      phone.send(botId, said);
    },
  ],
  [
    "edit",
    (phone, body) => {
      const { botId, messageId, text: changed } = editShape.parse(body);
      phone.edit(botId, messageId, changed);
    },
  ],
  [
    "place",
    (phone, body) => {
      const { botId, ...place } = placeShape.parse(body);
      phone.sendPlace(botId, place);
    },
  ],
  [
    "card",
    (phone, body) => {
      const { botId, ...card } = cardShape.parse(body);
      phone.sendCard(botId, card);
    },
  ],
  [
    "press",
    (phone, body) => {
      const { botId, messageId, data } = pressShape.parse(body);
      phone.press(botId, messageId, data);
    },
  ],
  [
    "block",
    (phone, body) => {
      const { botId, blocked } = blockShape.parse(body);
      phone.block(botId, blocked);
    },
  ],
]);

const number = z.coerce.number().int();
const fileShape = z.strictObject({
  botId: number,
  kind: z.enum(["photo", "document", "video", "audio", "voice", "sticker"]),
  name: z.string().max(255).optional(),
  caption: z.string().max(1024).optional(),
  replyTo: number.optional(),
});

/** A file that is sent: what it is stands in the query, the body is its bytes. */
export function sendFile(phone: Phone, query: URLSearchParams, bytes: Buffer): void {
  if (bytes.length === 0) throw new Error("The file is empty.");
  const { botId, ...file } = fileShape.parse(Object.fromEntries(query));
  phone.sendFile(botId, { ...file, bytes });
}
