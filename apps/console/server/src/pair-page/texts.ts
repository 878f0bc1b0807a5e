// The words of the page on which a phone is linked, in English and Arabic. What belongs to a channel comes from its own description.
import type { Language } from "../page/texts.ts";

export interface PairTexts {
  readonly title: string;
  readonly lead: string;
  readonly careful: string;
  /** What is to be done or has happened now, in a line. */
  readonly status: {
    readonly waiting: string;
    readonly scan: string;
    readonly type: string;
    readonly linked: string;
    readonly ended: string;
    readonly off: string;
  };
  readonly codeLabel: string;
  /** Around the number of seconds that a code still lasts. */
  readonly lasts: Readonly<Record<"scan" | "type", readonly [before: string, after: string]>>;
  readonly waitingNote: string;
  readonly linkedNote: string;
  readonly endedNote: string;
  readonly offNote: string;
  readonly again: string;
  readonly typeInstead: string;
  readonly typeInsteadNote: string;
  readonly phone: string;
  readonly getCode: string;
  readonly scanInstead: string;
  readonly goneTitle: string;
  readonly gone: string;
  readonly needsScript: string;
  readonly failed: string;
}

const en: PairTexts = {
  title: "Link your phone",
  lead: "Keep this page open and take the phone with the number that is to be linked.",
  careful:
    "Whoever uses this code decides which phone is linked. Show it to nobody else, and pass this page's address on to nobody.",
  status: {
    waiting: "Getting a code …",
    scan: "Scan this code with the phone",
    type: "Type this code on the phone",
    linked: "The phone is linked",
    ended: "No phone was linked",
    off: "This connection is switched off",
  },
  codeLabel: "The code to scan",
  lasts: {
    scan: ["Good for ", " more seconds; then another one comes by itself."],
    type: ["Good for ", " more seconds."],
  },
  waitingNote: "This takes a few seconds.",
  linkedNote: "You can close this page. Leave the phone switched on and online.",
  endedNote: "Something went wrong. Try again, or ask whoever sent you this page.",
  offNote: "Ask whoever sent you this page to switch it on.",
  again: "Show a new code",
  typeInstead: "Is this page open on that phone itself?",
  typeInsteadNote:
    "Then there is nothing to scan with: get a code to type instead. Write the phone's number with its country code.",
  phone: "Phone number, like 9647701234567",
  getCode: "Get a code to type",
  scanInstead: "Show a code to scan instead",
  goneTitle: "This link no longer works",
  gone: "Such a link lasts ten minutes and links one phone. If yours is linked, all is done. If not, ask whoever sent the link for a new one.",
  needsScript:
    "This page needs JavaScript to show the code. Switch it on, then load the page again.",
  failed: "The house can't be reached just now. The page goes on by itself as soon as it can.",
};

const ar: PairTexts = {
  title: "اربط هاتفك",
  lead: "أبقِ هذه الصفحة مفتوحة، وخذ الهاتف الذي عليه الرقم المراد ربطه.",
  careful: "من يستخدم هذا الرمز يحدد أي هاتف سيُربط. لا تُظهره لأحد غيرك، ولا تعطِ عنوان هذه الصفحة لأحد.",
  status: {
    waiting: "جارٍ إحضار الرمز…",
    scan: "امسح هذا الرمز بالهاتف",
    type: "اكتب هذا الرمز على الهاتف",
    linked: "تم ربط الهاتف",
    ended: "لم يُربط أي هاتف",
    off: "هذا الاتصال متوقف",
  },
  codeLabel: "الرمز المراد مسحه",
  lasts: {
    scan: ["صالح لمدة ", " ثانية أخرى، ثم يظهر رمز جديد تلقائيًا."],
    type: ["صالح لمدة ", " ثانية أخرى."],
  },
  waitingNote: "يستغرق ذلك بضع ثوانٍ.",
  linkedNote: "يمكنك إغلاق هذه الصفحة. أبقِ الهاتف مشغّلًا ومتصلًا بالإنترنت.",
  endedNote: "حدث خطأ ما. حاول مرة أخرى، أو اسأل من أرسل إليك هذه الصفحة.",
  offNote: "اطلب ممن أرسل إليك هذه الصفحة أن يشغّله.",
  again: "أظهر رمزًا جديدًا",
  typeInstead: "هل هذه الصفحة مفتوحة على الهاتف نفسه؟",
  typeInsteadNote:
    "عندها لا يوجد ما تمسح به: اطلب رمزًا تكتبه بدلًا من ذلك. اكتب رقم الهاتف مع رمز الدولة.",
  phone: "رقم الهاتف، مثل 9647701234567",
  getCode: "اطلب رمزًا للكتابة",
  scanInstead: "أظهر رمزًا للمسح بدلًا من ذلك",
  goneTitle: "لم يعد هذا الرابط صالحًا",
  gone: "يدوم هذا الرابط عشر دقائق ويربط هاتفًا واحدًا. إن كان هاتفك قد رُبط فقد انتهى الأمر، وإلا فاطلب رابطًا جديدًا ممن أرسله إليك.",
  needsScript: "تحتاج هذه الصفحة إلى JavaScript لإظهار الرمز. فعّله ثم أعد تحميل الصفحة.",
  failed: "تعذّر الوصول إلى الخادم الآن. تتابع الصفحة تلقائيًا حالما يمكن ذلك.",
};

export const pairTexts: Readonly<Record<Language, PairTexts>> = { en, ar };
