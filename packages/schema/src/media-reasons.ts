// Why a file could not be fetched or sent: stable codes, with what is said to people in both languages.
import { z } from "zod";

interface ReasonRow {
  readonly en: string;
  readonly ar: string;
}

/** Codes of failed files, of customers' and of our users' alike. A message that fails by its file carries one of them. */
export const mediaReasons = {
  media_not_found: {
    en: "There is no file at this address.",
    ar: "لا يوجد ملف في هذا العنوان.",
  },
  media_unreachable: {
    en: "The file could not be fetched: its server did not answer as it should.",
    ar: "تعذّر جلب الملف: خادمه لم يستجب كما يجب.",
  },
  media_address_refused: {
    en: "This address can't be used for a file: it must be a public https address.",
    ar: "لا يمكن استخدام هذا العنوان لملف: يجب أن يكون عنوان https عامًا.",
  },
  media_too_large: {
    en: "The file is larger than the channel takes.",
    ar: "الملف أكبر مما تقبله القناة.",
  },
  media_wrong_type: {
    en: "The file is not of the type that was asked for.",
    ar: "نوع الملف ليس النوع المطلوب.",
  },
  media_refused: {
    en: "The provider does not take this file.",
    ar: "المزوّد لا يقبل هذا الملف.",
  },
  media_expired: {
    en: "The provider no longer has this file.",
    ar: "الملف لم يعد موجودًا لدى المزوّد.",
  },
} as const satisfies Record<string, ReasonRow>;

export type MediaReasonCode = keyof typeof mediaReasons;

export const mediaReasonCodes = Object.keys(mediaReasons) as [
  MediaReasonCode,
  ...MediaReasonCode[],
];

/** Why a file failed. */
export const mediaReason = z
  .object({ code: z.enum(mediaReasonCodes), message: z.string() })
  .meta({ id: "MediaReason" });
export type MediaReason = z.infer<typeof mediaReason>;

/** The reason of this code, with its English sentence or one that says more. */
export function mediaReasonOf(
  code: MediaReasonCode,
  message: string = mediaReasons[code].en,
): MediaReason {
  return { code, message };
}
