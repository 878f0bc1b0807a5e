// A shared contact as Telegram takes it: one number, and a vCard where there are more.
import type { z } from "zod";
import type { sharedContact } from "@thikaa/schema";

type SharedContact = z.infer<typeof sharedContact>;

/** Telegram's limit, in bytes. */
const mostCardBytes = 2048;

/** The parameters of `sendContact`. */
export function contactCard({ name, phones }: SharedContact): {
  phone_number: string;
  first_name: string;
  vcard?: string;
} {
  const [phone = ""] = phones;
  const shown = { phone_number: phone, first_name: name ?? phone };
  if (phones.length < 2) return shown;
  const lines = [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `FN:${escaped(shown.first_name)}`,
    ...phones.map((number) => `TEL:${escaped(number)}`),
    "END:VCARD",
  ];
  const vcard = `${lines.join("\r\n")}\r\n`;
  return Buffer.byteLength(vcard) <= mostCardBytes ? { ...shown, vcard } : shown;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,;]/g, (sign) => `\\${sign}`).replaceAll(/\r?\n/g, "\\n");
}
