// The start page's words, in English and Arabic.
import type { ConnectionState } from "@thikaa/schema";

export type Language = "en" | "ar";

export interface Texts {
  readonly title: string;
  readonly headline: string;
  readonly lead: string;
  readonly otherLanguage: string;
  readonly docs: string;
  readonly simulator: string;
  readonly tryTitle: string;
  readonly tryLead: string;
  readonly tryAfter: string;
  readonly copy: string;
  readonly copied: string;
  readonly connectionsTitle: string;
  readonly noConnections: string;
  readonly noConnectionsInStore: string;
  readonly sandbox: string;
  readonly isDefault: string;
  readonly waiting: string;
  readonly ownTitle: string;
  readonly ownLead: string;
  readonly guidesTitle: string;
  readonly guides: readonly (readonly [file: string, about: string])[];
  readonly states: Readonly<Record<ConnectionState, string>>;
}

const en: Texts = {
  title: "Thikaa Messaging",
  headline: "One Messaging API for every channel",
  lead: "Send a message by one HTTP request, and get every answer back at your own URL, signed. This page shows the house that runs here.",
  otherLanguage: "العربية",
  docs: "API reference",
  simulator: "Open the phone",
  tryTitle: "Send the first message",
  tryLead:
    "Paste this into a terminal in the project's folder. Zainab gets it on the phone in the simulator, and her answer comes back to the webhook log there.",
  tryAfter: "The key stays in a file of yours; it is never shown here.",
  copy: "Copy",
  copied: "Copied",
  connectionsTitle: "Connections",
  noConnections: "There is no store yet. Make one with the command line, as below.",
  noConnectionsInStore: "No connection yet.",
  sandbox: "sandbox",
  isDefault: "default",
  waiting: "waiting to be sent",
  ownTitle: "Connect your own",
  ownLead:
    "Two commands make a store and connect your own account to it. A secret is asked for without showing it.",
  guidesTitle: "In the project's folder",
  guides: [
    ["README.md", "what this is and the two commands"],
    ["docs/guides/first-hour.md", "from the sandbox to a real account in an hour"],
    ["ARCHITECTURE.md", "how it is built, on one page"],
  ],
  states: {
    pairing: "waits to be paired",
    connecting: "connecting",
    connected: "connected",
    recovering: "reconnecting",
    limited: "slowed by the provider",
    attention: "needs you",
    off: "off",
  },
};

const ar: Texts = {
  title: "Thikaa للمراسلة",
  headline: "واجهة مراسلة واحدة لكل القنوات",
  lead: "أرسل رسالة بطلب HTTP واحد، ويصلك كل ردّ على رابطك أنت موقّعًا. تعرض هذه الصفحة ما يعمل هنا الآن.",
  otherLanguage: "English",
  docs: "مرجع الواجهة",
  simulator: "افتح الهاتف",
  tryTitle: "أرسل أول رسالة",
  tryLead:
    "الصق هذا الأمر في الطرفية داخل مجلد المشروع. تصل الرسالة إلى زينب على الهاتف في المحاكي، ويظهر ردّها في سجل الويب هوك هناك.",
  tryAfter: "يبقى المفتاح في ملف لديك ولا يُعرض هنا أبدًا.",
  copy: "نسخ",
  copied: "تم النسخ",
  connectionsTitle: "الاتصالات",
  noConnections: "لا يوجد متجر بعد. أنشئ واحدًا من سطر الأوامر كما في الأسفل.",
  noConnectionsInStore: "لا يوجد اتصال بعد.",
  sandbox: "تجريبي",
  isDefault: "افتراضي",
  waiting: "بانتظار الإرسال",
  ownTitle: "اربط حسابك أنت",
  ownLead: "أمران ينشئان متجرًا ويربطان به حسابك. يُطلب السرّ منك دون إظهاره على الشاشة.",
  guidesTitle: "في مجلد المشروع",
  guides: [
    ["README.md", "ما هذا المشروع، والأمران اللذان تحتاجهما"],
    ["docs/guides/first-hour.md", "من البيئة التجريبية إلى حساب حقيقي في ساعة"],
    ["ARCHITECTURE.md", "كيف بُني، في صفحة واحدة"],
  ],
  states: {
    pairing: "بانتظار الربط",
    connecting: "جارٍ الاتصال",
    connected: "متصل",
    recovering: "إعادة الاتصال",
    limited: "أبطأه المزوّد",
    attention: "يحتاج إليك",
    off: "متوقف",
  },
};

export const texts: Readonly<Record<Language, Texts>> = { en, ar };

/** The language of a request: the switch in the URL first, then what the browser prefers. */
export function languageOf(query: string | null, acceptLanguage: string | undefined): Language {
  if (query === "ar" || query === "en") return query;
  const preferred = (acceptLanguage ?? "")
    .split(",")
    .map((entry) => ({
      tag: entry.split(";")[0]?.trim().toLowerCase() ?? "",
      weight: Number(/q=([\d.]+)/.exec(entry)?.[1] ?? 1),
    }))
    .toSorted((left, right) => right.weight - left.weight)
    .find(({ tag }) => /^(ar|en)\b/.test(tag));
  return preferred?.tag.startsWith("ar") === true ? "ar" : "en";
}
