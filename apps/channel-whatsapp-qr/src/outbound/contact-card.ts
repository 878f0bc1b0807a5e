// A shared contact as WhatsApp takes it: a vCard whose numbers lead to chats.
import type { sharedContact } from "@thikaa/schema";
import type { z } from "zod";

type SharedContact = z.infer<typeof sharedContact>;

export function contactCard({ name, phones }: SharedContact): {
  displayName: string;
  vcard: string;
} {
  const displayName = name ?? phones[0] ?? "";
  const lines = [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `FN:${escaped(displayName)}`,
    ...phones.map((phone) => {
      const digits = phone.replaceAll(/\D/g, "");
      return `TEL;type=CELL;waid=${digits}:+${digits}`;
    }),
    "END:VCARD",
  ];
  return { displayName, vcard: lines.join("\n") };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,;]/g, (sign) => `\\${sign}`).replaceAll(/\r?\n/g, "\\n");
}
