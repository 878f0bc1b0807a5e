// The channels: the one list that names them, and what the rest of the house must know of each.
import { z } from "zod";

/** How a person is addressed on a channel: by a phone number with country code, or by an id that the provider gave. */
export type RecipientForm = "phone" | "id";

export interface Channel {
  readonly code: string;
  /** The name people know it by. */
  readonly name: { readonly en: string; readonly ar: string };
  readonly recipient: RecipientForm;
  /** How the provider names people whose phone number it keeps from us; they are answered by that name. */
  readonly withoutNumber?: RegExp;
}

/** Every channel by its code. Adding one is a line here, an app and a stand-in. */
export const channels = {
  wd: {
    code: "wd",
    name: { en: "WhatsApp (QR)", ar: "واتساب (رمز QR)" },
    recipient: "phone",
    withoutNumber: /^\d{5,20}@lid$/,
  },
  wa: {
    code: "wa",
    name: { en: "WhatsApp Cloud API", ar: "واتساب Cloud API" },
    recipient: "phone",
  },
  tg: { code: "tg", name: { en: "Telegram", ar: "تيليجرام" }, recipient: "id" },
  fb: { code: "fb", name: { en: "Messenger", ar: "ماسنجر" }, recipient: "id" },
  ig: { code: "ig", name: { en: "Instagram", ar: "إنستغرام" }, recipient: "id" },
  tt: { code: "tt", name: { en: "TikTok", ar: "تيك توك" }, recipient: "id" },
} as const satisfies Record<string, Channel>;

export type ChannelCode = keyof typeof channels;

/** In the order of `channels`; never empty. */
export const channelCodes = Object.keys(channels) as [ChannelCode, ...ChannelCode[]];

export const channelCode = z.enum(channelCodes).meta({
  id: "ChannelCode",
  description: Object.values(channels)
    .map(({ code, name }) => `${code} ${name.en}`)
    .join(", "),
});

/** Whether a text is a channel's code. */
export function isChannelCode(text: string): text is ChannelCode {
  return Object.hasOwn(channels, text);
}
