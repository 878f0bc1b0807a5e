// What a store gives to connect its bot: the token, nothing else.
import type { CredentialsDescription } from "@thikaa/connector-kit";
import { z } from "zod";

export const credentials: CredentialsDescription = {
  // Only Telegram says whether a token is good; its length has changed before. White space around it is a copying slip.
  values: z.object({
    token: z
      .string()
      .trim()
      .regex(/^[^\s/:]+:[^\s/]+$/, "A bot token has a colon in it, like 7100200300:AAE…"),
  }),
  fields: [
    {
      name: "token",
      level: "connection",
      label: { en: "Bot token", ar: "رمز البوت (token)" },
      help: {
        en: "In Telegram, open @BotFather, send /newbot (or /token for a bot you have), and copy the token it shows, like 7100200300:AAE…",
        ar: "في تيليجرام افتح ‎@BotFather‎ وأرسل ‎/newbot‎ (أو ‎/token‎ لبوت موجود) ثم انسخ الرمز الذي يظهر، مثل ‎7100200300:AAE…‎",
      },
      secret: true,
      required: true,
    },
  ],
};
