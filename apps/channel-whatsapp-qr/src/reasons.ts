// Why a connection is not open, in words that say what to do: stable codes, with both languages.
import type { ConnectionReason } from "@thikaa/schema";
import { untilWhen } from "./ban.ts";
import type { Ban } from "./ban.ts";

interface ReasonRow {
  readonly en: string;
  readonly ar: string;
}

export const reasons = {
  logged_out: {
    en: "The phone has unlinked this connection, or WhatsApp has logged it out. Messages wait. Pair it again with the same phone.",
    ar: "ألغى الهاتف ربط هذا الاتصال أو أخرجه واتساب. الرسائل تنتظر. اربطه من جديد بالهاتف نفسه.",
  },
  qr_expired: {
    en: "Nobody scanned or typed the code in time. Ask for pairing again to get a new one.",
    ar: "لم يمسح أحد الرمز أو يكتبه في الوقت المحدد. اطلب الربط مجددًا للحصول على رمز جديد.",
  },
  paired_with_another_number: {
    en: "The code was used by another phone than the one this connection belongs to. Use that phone, or add a connection for the other one.",
    ar: "استُخدم الرمز من هاتف غير الهاتف الذي يعود إليه هذا الاتصال. استخدم ذلك الهاتف أو أضف اتصالًا للهاتف الآخر.",
  },
  pairing_failed: {
    en: "WhatsApp ended the pairing. Ask for it again; if it fails again, update WhatsApp on the phone.",
    ar: "أنهى واتساب الربط. اطلبه من جديد؛ وإن فشل مجددًا فحدّث واتساب على الهاتف.",
  },
  banned: {
    en: "WhatsApp refuses this number: it may be banned. Open WhatsApp on the phone and see what it says; pair again when it works there.",
    ar: "يرفض واتساب هذا الرقم: قد يكون محظورًا. افتح واتساب على الهاتف واقرأ ما يقوله؛ واربط من جديد حين يعمل هناك.",
  },
  temporarily_banned: {
    en: "WhatsApp has banned this number for a while. It is tried again when the ban ends; send less to people who did not write first.",
    ar: "حظر واتساب هذا الرقم لفترة. تُعاد المحاولة عند انتهاء الحظر؛ قلّل الإرسال إلى من لم يراسلك أولًا.",
  },
  client_outdated: {
    en: "WhatsApp no longer accepts this version of the client. The operator has to update this installation.",
    ar: "لم يعد واتساب يقبل هذا الإصدار من العميل. على المشغّل تحديث هذا التثبيت.",
  },
  pairing_outdated: {
    en: "WhatsApp no longer accepts how this phone was linked. Pair it again.",
    ar: "لم يعد واتساب يقبل طريقة ربط هذا الهاتف. اربطه من جديد.",
  },
  replaced: {
    en: "The same linked device was opened somewhere else, so WhatsApp closed it here. If that goes on, unlink it on the phone and pair again.",
    ar: "فُتح الجهاز المرتبط نفسه في مكان آخر فأغلقه واتساب هنا. إن استمر ذلك فألغِ ربطه من الهاتف واربط من جديد.",
  },
  no_answer: {
    en: "WhatsApp does not answer. It is tried again by itself.",
    ar: "واتساب لا يستجيب. تُعاد المحاولة تلقائيًا.",
  },
  connection_lost: {
    en: "The connection to WhatsApp broke. It comes back by itself.",
    ar: "انقطع الاتصال بواتساب. سيعود تلقائيًا.",
  },
  provider_unavailable: {
    en: "WhatsApp is not available just now. It is tried again by itself.",
    ar: "واتساب غير متاح الآن. تُعاد المحاولة تلقائيًا.",
  },
  connection_ended: {
    en: "WhatsApp ended the connection. It is tried again by itself.",
    ar: "أنهى واتساب الاتصال. تُعاد المحاولة تلقائيًا.",
  },
  reconnecting: {
    en: "The connection to WhatsApp is being opened again. It goes on by itself.",
    ar: "يُعاد فتح الاتصال بواتساب. يستمر تلقائيًا.",
  },
  process_full: {
    en: "All processes of this channel run as many phones as they can. The operator has to start more of them; it then goes on by itself.",
    ar: "كل عمليات هذه القناة تشغّل أقصى عدد ممكن من الهواتف. على المشغّل تشغيل المزيد منها؛ ثم يستمر تلقائيًا.",
  },
  database_unavailable: {
    en: "The database can't be reached just now. It goes on by itself.",
    ar: "لا يمكن الوصول إلى قاعدة البيانات الآن. يستمر تلقائيًا.",
  },
} as const satisfies Record<string, ReasonRow>;

export type ReasonCode = keyof typeof reasons;

/** Of a ban it says until when. */
export function reasonOf(code: ReasonCode, ban?: Ban): ConnectionReason {
  const { en } = reasons[code];
  return { code, message: ban === undefined ? en : `${en} ${untilWhen(ban)}` };
}
