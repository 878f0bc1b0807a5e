// Why a pairing did not begin or ended without a phone, whatever the channel: stable codes, with what is said to people in both languages.
import type { ConnectionReason } from "./connection.ts";

interface ReasonRow {
  readonly en: string;
  readonly ar: string;
}

/** Channels have further ones of their own, in their descriptions. */
export const pairingReasons = {
  not_paired: {
    en: "No phone is linked to this connection yet. Pair it.",
    ar: "لم يُربط أي هاتف بهذا الاتصال بعد. اربطه.",
  },
  pairing_expired: {
    en: "No phone was linked in time. Ask for a new code.",
    ar: "لم يُربط أي هاتف في الوقت المحدد. اطلب رمزًا جديدًا.",
  },
  paired_in_another_store: {
    en: "This phone already belongs to another connection, here or in another store. Remove it there first, or use another phone.",
    ar: "هذا الهاتف مرتبط مسبقًا باتصال آخر، هنا أو في متجر آخر. أزله هناك أولًا أو استخدم هاتفًا آخر.",
  },
} as const satisfies Record<string, ReasonRow>;

export type PairingReasonCode = keyof typeof pairingReasons;

/** The reason of this code. */
export function pairingReasonOf(code: PairingReasonCode): ConnectionReason {
  return { code, message: pairingReasons[code].en };
}
