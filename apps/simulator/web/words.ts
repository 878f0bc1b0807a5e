// Every text of the page in English and Arabic.

const english = {
  title: "Simulator",
  subtitle: "A customer's phone and the store's webhooks, side by side",
  whosePhone: "Whose phone",
  shop: "Shop",
  customer: "Zainab",
  phone: "Phone",
  webhooks: "Webhooks",
  chats: "Chats",
  tg: "Telegram",
  wd: "WhatsApp",
  noChats: "No chats yet",
  noChatsHint: "A chat appears here as soon as a bot or a phone is connected to its stand-in.",
  noMessages: "No messages yet. Say something, or send one through the API.",
  choose: "Choose a chat",
  back: "Back to chats",
  write: "Message",
  send: "Send",
  typing: "typing…",
  edited: "edited",
  you: "You: ",
  block: "Block",
  unblock: "Unblock",
  blocked: "You blocked this bot. It gets an error when it writes. Writing unblocks it.",
  conversation: "Conversation with",
  live: "Live",
  offline: "Reconnecting…",
  deliveries: "Webhook deliveries",
  noDeliveries: "Nothing delivered yet",
  noDeliveriesHint:
    "Write on the phone: what the store receives shows up here, with both signatures checked.",
  from: "From",
  body: "Body",
  headers: "Headers",
  details: "Details",
  today: "Today",
  yesterday: "Yesterday",
  language: "العربية",
  languageLabel: "Switch the page to Arabic",
  valid: "valid",
  invalid: "does not match",
  missing: "missing",
  stale: "too old",
  unregistered: "secret unknown",
  failed: "That did not work",
  unread: "new",
  photo: "Photo",
  document: "File",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  sticker: "Sticker",
  location: "Location",
  contact: "Contact",
  attach: "Attach",
  voiceShort: "Voice",
  reply: "Reply",
  edit: "Edit",
  answering: "Reply to",
  editing: "Edit message",
  cancel: "Cancel",
  caption: "Caption",
  latitude: "Latitude",
  longitude: "Longitude",
  name: "Name",
  phoneNumber: "Phone number",
  sent: "sent",
  delivered: "delivered",
  read: "read",
  delete: "Delete",
  react: "React",
  reaction: "Reaction",
  noReaction: "Take the reaction back",
  deleted: "This message was deleted",
  unreadable: "Waiting for this message",
  unknown: "A message of a kind that this phone does not know",
  linkedDevices: "Linked devices",
  noDevices: "No linked devices",
  noDevicesHint: "Messages of this shop wait until one is linked.",
  connected: "Connected",
  notConnected: "Not connected",
  unlink: "Unlink",
  linkDevice: "Link a device",
  dropQr: "Drop, paste or choose a picture of the QR code",
  qrText: "Or the text of the QR code",
  code: "Or the 8-character code",
  link: "Link",
  linking: "Linking…",
  linked: "Linked",
  noQrCode: "There is no QR code to be read in this picture.",
};

/** The name of a text. */
export type Word = keyof typeof english;

const arabic: Record<Word, string> = {
  title: "المحاكي",
  subtitle: "هاتف زبونة وإشعارات Webhook للمتجر، جنبًا إلى جنب",
  whosePhone: "هاتف من",
  shop: "المتجر",
  customer: "زينب",
  phone: "الهاتف",
  webhooks: "إشعارات Webhook",
  chats: "المحادثات",
  tg: "تيليجرام",
  wd: "واتساب",
  noChats: "لا توجد محادثات بعد",
  noChatsHint: "تظهر المحادثة هنا حالما يتصل بوت أو هاتف بخادمه البديل.",
  noMessages: "لا رسائل بعد. اكتب شيئًا، أو أرسل رسالة عبر الواجهة البرمجية.",
  choose: "اختر محادثة",
  back: "العودة إلى المحادثات",
  write: "رسالة",
  send: "إرسال",
  typing: "يكتب…",
  edited: "معدّلة",
  you: "أنت: ",
  block: "حظر",
  unblock: "إلغاء الحظر",
  blocked: "لقد حظرت هذا البوت، فيتلقى خطأً عندما يكتب. الكتابة إليه تلغي الحظر.",
  conversation: "محادثة مع",
  live: "مباشر",
  offline: "إعادة الاتصال…",
  deliveries: "إشعارات Webhook الواصلة",
  noDeliveries: "لم يصل شيء بعد",
  noDeliveriesHint: "اكتب من الهاتف: يظهر هنا ما يستلمه المتجر، مع التحقق من التوقيعين.",
  from: "من",
  body: "المحتوى",
  headers: "الترويسات",
  details: "التفاصيل",
  today: "اليوم",
  yesterday: "أمس",
  language: "English",
  languageLabel: "عرض الصفحة بالإنجليزية",
  valid: "صحيح",
  invalid: "غير مطابق",
  missing: "غير موجود",
  stale: "قديم",
  unregistered: "المفتاح السرّي غير معروف",
  failed: "لم تنجح العملية",
  unread: "جديد",
  photo: "صورة",
  document: "ملف",
  video: "فيديو",
  audio: "مقطع صوتي",
  voice: "رسالة صوتية",
  sticker: "ملصق",
  location: "موقع",
  contact: "جهة اتصال",
  attach: "إرفاق",
  voiceShort: "صوت",
  reply: "رد",
  edit: "تعديل",
  answering: "رد على",
  editing: "تعديل الرسالة",
  cancel: "إلغاء",
  caption: "تعليق",
  latitude: "خط العرض",
  longitude: "خط الطول",
  name: "الاسم",
  phoneNumber: "رقم الهاتف",
  sent: "أُرسلت",
  delivered: "وصلت",
  read: "قُرئت",
  delete: "حذف",
  react: "تفاعل",
  reaction: "التفاعل",
  noReaction: "إزالة التفاعل",
  deleted: "حُذفت هذه الرسالة",
  unreadable: "في انتظار هذه الرسالة",
  unknown: "رسالة من نوع لا يعرفه هذا الهاتف",
  linkedDevices: "الأجهزة المرتبطة",
  noDevices: "لا أجهزة مرتبطة",
  noDevicesHint: "تنتظر رسائل هذا المتجر حتى يُربط جهاز.",
  connected: "متصل",
  notConnected: "غير متصل",
  unlink: "إلغاء الربط",
  linkDevice: "ربط جهاز",
  dropQr: "أفلت صورة رمز QR هنا أو ألصقها أو اخترها",
  qrText: "أو نص رمز QR",
  code: "أو الرمز المكوّن من 8 أحرف",
  link: "ربط",
  linking: "جارٍ الربط…",
  linked: "تم الربط",
  noQrCode: "لا يوجد في هذه الصورة رمز QR يمكن قراءته.",
};

/** The languages of the page. */
export type Language = "en" | "ar";

const STORAGE_KEY = "thikaa.simulator.language";
let current: Language = readLanguage();

/** The text in the page's language. */
export function word(name: Word): string {
  return current === "ar" ? arabic[name] : english[name];
}

/** The page's language now. */
export function language(): Language {
  return current;
}

/** Changes the language, turns the page's direction with it, and remembers the choice. */
export function useLanguage(chosen: Language): void {
  current = chosen;
  document.documentElement.lang = chosen;
  document.documentElement.dir = chosen === "ar" ? "rtl" : "ltr";
  document.title = `${word("title")} · Thikaa Messaging`;
  try {
    localStorage.setItem(STORAGE_KEY, chosen);
  } catch {
    // A browser that keeps nothing still shows the page; the choice then lasts as long as it.
  }
}

/** The hour and minute, in the digits of the page's language. */
export function clockTime(iso: string, withSeconds = false): string {
  const seconds = withSeconds ? { second: "2-digit" as const } : {};
  return new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    ...seconds,
  }).format(new Date(iso));
}

/** "Today", "Yesterday" or the date. */
export function dayName(iso: string): string {
  const day = new Date(iso);
  const age = Math.round((startOfDay(new Date()) - startOfDay(day)) / 86_400_000);
  if (age === 0) return word("today");
  if (age === 1) return word("yesterday");
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "long" }).format(day);
}

/** A whole number, in the digits of the page's language. */
export function count(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A file's size in kilobytes or megabytes, in the digits of the page's language. */
export function fileSize(bytes: number): string {
  const isLarge = bytes >= 1_000_000;
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: isLarge ? "megabyte" : "kilobyte",
    maximumFractionDigits: 1,
  }).format(isLarge ? bytes / 1_000_000 : Math.max(0.1, bytes / 1_000));
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function locale(): string {
  return current === "ar" ? "ar-IQ" : "en-GB";
}

function readLanguage(): Language {
  try {
    const kept = localStorage.getItem(STORAGE_KEY);
    if (kept === "ar" || kept === "en") return kept;
  } catch {
    // Nothing kept: the browser's own language decides.
  }
  return navigator.language.startsWith("ar") ? "ar" : "en";
}
