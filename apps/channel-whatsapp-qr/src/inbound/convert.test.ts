// Each kind of WhatsApp message as the house is told it; what nobody knows is kept and named.
import type { Converted } from "@thikaa/schema";
import { converted as convertedShape } from "@thikaa/schema";
import { describe, expect, test } from "vitest";
import { protocolTypes, writeMessage } from "../platform/message.ts";
import type { WhatsAppMessage } from "../platform/message.ts";
import { convert } from "./convert.ts";
import type { AnyEnvelope, Envelope } from "./envelope.ts";

const number = "9647700000001@s.whatsapp.net";
const lid = "112093873106054@lid";

const envelope: Envelope = {
  kind: "message",
  id: "3A01",
  chat: lid,
  alt: number,
  participant: null,
  own: false,
  name: "زينب",
  at: 1_795_000_000,
  messages: [],
};

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function told(raw: AnyEnvelope | string): Converted {
  const text = typeof raw === "string" ? raw : JSON.stringify(raw);
  const result = convert({ key: "k", thread: "t", raw: text });
  expect(convertedShape.safeParse(result).error).toBeUndefined();
  return result;
}

function said(message: WhatsAppMessage, about: Partial<Envelope> = {}): Converted {
  return told({ ...envelope, ...about, messages: [base64(writeMessage(message))] });
}

const file = {
  directPath: "/v/t62/abc?ccb=1",
  mediaKey: Uint8Array.of(1, 2),
  fileSha256: Uint8Array.of(3),
  fileLength: 84_211,
};

const kinds: readonly [what: string, message: WhatsAppMessage, expected: object][] = [
  ["a text", { conversation: "كم السعر؟" }, { type: "text", text: "كم السعر؟" }],
  [
    "an answer",
    { extendedTextMessage: { text: "ten", contextInfo: { stanzaId: "3EB0A" } } },
    { type: "text", text: "ten", reply_to: "3EB0A" },
  ],
  [
    "a picture",
    { imageMessage: { ...file, mimetype: "image/jpeg", caption: "this one" } },
    {
      type: "image",
      text: "this one",
      media: [expect.objectContaining({ type: "image", size: 84_211, name: "image.jpg" })],
    },
  ],
  [
    "a voice",
    { audioMessage: { ...file, mimetype: "audio/ogg; codecs=opus", ptt: true } },
    {
      type: "voice",
      media: [expect.objectContaining({ mime: "audio/ogg", name: "voice.ogg" })],
    },
  ],
  [
    "a document under words",
    {
      documentWithCaptionMessage: {
        message: {
          documentMessage: {
            ...file,
            fileName: "a.pdf",
            mimetype: "application/pdf",
            caption: "read",
          },
        },
      },
    },
    { type: "document", text: "read", media: [expect.objectContaining({ name: "a.pdf" })] },
  ],
  ["a round video", { ptvMessage: { ...file, mimetype: "video/mp4" } }, { type: "video" }],
  ["a sticker", { stickerMessage: { ...file, mimetype: "image/webp" } }, { type: "sticker" }],
  [
    "a picture of an album",
    {
      imageMessage: { ...file, mimetype: "image/png" },
      messageContextInfo: {
        messageAssociation: { associationType: 1, parentMessageKey: { id: "ALBUM" } },
      },
    },
    { type: "image", album_id: "ALBUM" },
  ],
  [
    "a file without a key",
    { imageMessage: { directPath: "/v/abc", mimetype: "image/png" } },
    { type: "unsupported", raw_type: "imageMessage" },
  ],
  [
    "a place",
    { locationMessage: { degreesLatitude: 33.3, degreesLongitude: 44.4, name: "Shop" } },
    {
      type: "location",
      location: { latitude: 33.3, longitude: 44.4, name: "Shop", address: null },
    },
  ],
  [
    "a place that moves",
    { liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 2 } },
    { type: "location", location: { latitude: 1, longitude: 2, name: null, address: null } },
  ],
  [
    "cards",
    {
      contactsArrayMessage: {
        contacts: [
          {
            displayName: "Amina",
            vcard:
              "BEGIN:VCARD\nitem1.TEL;waid=9647700000003:+964 770 000 0003\nTEL;type=HOME:01 23\nEND:VCARD",
          },
        ],
      },
    },
    { type: "contact", contacts: [{ name: "Amina", phones: ["9647700000003", "01 23"] }] },
  ],
  [
    "a reaction",
    { reactionMessage: { key: { id: "3EB0A" }, text: "👍" } },
    { type: "reaction", reaction: { emoji: "👍", provider_message_id: "3EB0A" } },
  ],
  [
    "a reaction taken back",
    { reactionMessage: { key: { id: "3EB0A" }, text: "" } },
    { type: "reaction", reaction: { emoji: null, provider_message_id: "3EB0A" } },
  ],
  [
    "a pressed button",
    { buttonsResponseMessage: { selectedButtonId: "yes", selectedDisplayText: "Yes" } },
    { type: "button_reply", button: { id: "yes", title: "Yes" }, text: "Yes" },
  ],
  [
    "a chosen row",
    { listResponseMessage: { title: "Large", singleSelectReply: { selectedRowId: "l" } } },
    { type: "button_reply", button: { id: "l", title: "Large" } },
  ],
  [
    "an answer to a form",
    {
      interactiveResponseMessage: {
        body: { text: "Blue" },
        nativeFlowResponseMessage: { name: "quick_reply", paramsJson: '{"id":"blue"}' },
      },
    },
    { type: "button_reply", button: { id: "blue", title: "Blue" } },
  ],
  [
    "a disappearing message to be seen once",
    {
      ephemeralMessage: {
        message: { viewOnceMessageV2: { message: { conversation: "soon gone" } } },
      },
    },
    { type: "text", text: "soon gone" },
  ],
  [
    "a poll",
    { pollCreationMessageV3: { name: "Which?", options: [{ optionName: "a" }] } },
    { type: "unsupported", raw_type: "pollCreationMessageV3" },
  ],
];

describe("a customer's message", () => {
  test.each(kinds)("%s", (_what, message, expected) => {
    expect(said(message)).toMatchObject({
      kind: "message",
      from: "9647700000001",
      contact: { name: "زينب", phone: "9647700000001" },
      provider_message_id: "3A01",
      sent_at: "2026-11-18T11:06:40.000Z",
      ...expected,
    });
  });

  test("an edit and a deletion name the message that they change", () => {
    const key = { id: "3A00" };
    const edit = {
      protocolMessage: {
        key,
        type: protocolTypes.edit,
        editedMessage: { conversation: "mended" },
      },
    };
    for (const message of [edit, { editedMessage: { message: edit } }])
      expect(said(message)).toMatchObject({
        type: "edit",
        text: "mended",
        edited: true,
        provider_message_id: "3A00",
      });
    expect(said({ protocolMessage: { key, type: protocolTypes.delete } })).toMatchObject({
      type: "delete",
      provider_message_id: "3A00",
    });
  });

  test("a kind that nobody knows yet is told as such, and its bytes are kept", () => {
    // Field 9000, of which the structure knows nothing.
    const unknown = base64(Uint8Array.of(0xc2, 0xb2, 0x04, 0x01, 0x61));
    expect(told({ ...envelope, messages: [unknown] })).toMatchObject({
      kind: "message",
      type: "unsupported",
      raw_type: "unknown",
    });
  });

  test("by either address it is the same person; without a number it is the LID", () => {
    const text = { conversation: "hi" };
    expect(said(text, { chat: number, alt: lid })).toMatchObject({ from: "9647700000001" });
    expect(said(text, { chat: number, alt: null })).toMatchObject({ from: "9647700000001" });
    expect(said(text, { alt: null })).toMatchObject({ from: lid, contact: { phone: null } });
  });
});

describe("what is no customer's message", () => {
  test("our own side's words, written on another device, are its own", () => {
    const message = { conversation: "I am on my way" };
    const copy = { deviceSentMessage: { destinationJid: lid, message } };
    expect(said(copy, { own: true, name: "Shop" })).toMatchObject({
      kind: "own",
      to: "9647700000001",
      text: "I am on my way",
      provider_message_id: "3A01",
      refers_to: null,
      contact: { name: null, phone: "9647700000001" },
    });
    const deletion = { protocolMessage: { key: { id: "3A00" }, type: protocolTypes.delete } };
    expect(said(deletion, { own: true })).toMatchObject({
      kind: "own",
      type: "delete",
      provider_message_id: "3A01",
      refers_to: "3A00",
    });
  });

  test("a receipt", () => {
    expect(
      told({ kind: "receipt", id: "3EB0A", chat: lid, alt: number, status: "read", at: 1 }),
    ).toEqual({
      kind: "receipt",
      to: null,
      provider_message_ids: ["3EB0A"],
      status: "read",
      reason: null,
      at: "1970-01-01T00:00:01.000Z",
    });
  });

  test.each<[what: string, tell: () => Converted, expected: object]>([
    [
      "what was said in a group",
      () => said({ conversation: "hi" }, { chat: "1203@g.us", alt: null, participant: lid }),
      { reason: "group_message", raw_type: "g.us" },
    ],
    [
      "what devices tell each other",
      () => said({ protocolMessage: { type: 3 } }),
      { reason: "not_a_message", raw_type: "protocolMessage" },
    ],
    [
      "what could not be decrypted",
      () => told({ kind: "undecrypted", id: "1", chat: lid, fault: "No session", ciphertexts: [] }),
      { reason: "undecryptable", raw_type: "No session" },
    ],
    [
      "bytes that are no message",
      () => told({ ...envelope, messages: [base64(Uint8Array.of(0xff, 0xff))] }),
      { reason: "unreadable" },
    ],
    ["no JSON", () => told('{"half":'), { reason: "unreadable" }],
    ["another shape", () => told('{"kind":"message"}'), { reason: "unreadable" }],
  ])("%s is kept as a notice", (_what, tell, expected) => {
    expect(tell()).toMatchObject({ kind: "notice", ...expected });
  });
});
