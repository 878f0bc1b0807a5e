// The error table: every code the house answers with, its HTTP status, its texts and what to do next.

interface ErrorRow {
  readonly status: number;
  readonly en: string;
  readonly ar: string;
  /** What the caller does next; goes to the docs and the SDK. */
  readonly todo: string;
}

/** In the order in which `send` checks them; docs, OpenAPI and the SDK are made from this table. */
export const errorTable = {
  unknown_action: {
    status: 400,
    en: "Unknown action. Use ?action=send, status, message, events, cancel, edit, delete, react, read or typing.",
    ar: "إجراء غير معروف. استخدم ‎?action=send‎ أو status أو message أو events أو cancel أو edit أو delete أو react أو read أو typing.",
    todo: "Correct the `action` query parameter.",
  },
  method_not_allowed: {
    status: 405,
    en: "This action does not allow this HTTP method.",
    ar: "هذا الإجراء لا يسمح بطريقة HTTP هذه.",
    todo: "Use the method in the `Allow` header.",
  },
  missing_api_key: {
    status: 401,
    en: "No API key. Send it as 'Authorization: Bearer <api_key>' or 'X-API-Key: <api_key>'.",
    ar: "لا يوجد مفتاح API. أرسله في الترويسة ‎Authorization: Bearer <api_key>‎ أو ‎X-API-Key: <api_key>‎.",
    todo: "Add the key to the request's headers; a key in the URL is never read.",
  },
  invalid_api_key: {
    status: 401,
    en: "This API key is not valid for this store: it is unknown, disabled, revoked or expired.",
    ar: "مفتاح API هذا غير صالح لهذا المتجر: غير معروف أو معطّل أو ملغى أو منتهي.",
    todo: "Check the key and the store's name in the URL, or make a new key.",
  },
  rate_limited: {
    status: 429,
    en: "Too many requests for this key. Nothing was done; try again after the time in Retry-After.",
    ar: "طلبات كثيرة على هذا المفتاح. لم يُنفّذ شيء؛ أعد المحاولة بعد المدة المذكورة في Retry-After.",
    todo: "Wait `Retry-After` seconds and repeat the same request.",
  },
  plan_not_eligible: {
    status: 403,
    en: "The store's plan does not include the Messaging API; it needs Professional or above.",
    ar: "خطة المتجر لا تشمل واجهة المراسلة؛ تلزم خطة Professional أو أعلى.",
    todo: "Upgrade the store's plan.",
  },
  idempotency_mismatch: {
    status: 422,
    en: "This Idempotency-Key was used before with a different body.",
    ar: "استُخدم Idempotency-Key هذا من قبل مع محتوى مختلف.",
    todo: "Use a new Idempotency-Key for a new message.",
  },
  idempotency_in_progress: {
    status: 409,
    en: "A request with this Idempotency-Key is still being decided.",
    ar: "طلب بنفس Idempotency-Key ما زال قيد المعالجة.",
    todo: "Repeat the request after `Retry-After` seconds.",
  },
  insufficient_balance: {
    status: 402,
    en: "The store is out of credit or inactive.",
    ar: "رصيد المتجر لا يكفي أو المتجر غير مفعّل.",
    todo: "Add credit to the store, or activate it, and send again.",
  },
  invalid_request: {
    status: 400,
    en: "The request is not valid.",
    ar: "الطلب غير صالح.",
    todo: "Correct what `details` names.",
  },
  invalid_recipient: {
    status: 400,
    en: "The recipient in 'to' can't be reached in this form.",
    ar: "لا يمكن الوصول إلى المستلم المكتوب في ‎to‎ بهذه الصيغة.",
    todo: "Write a phone number with its country code, or the id that came in `data.from`.",
  },
  payload_too_large: {
    status: 413,
    en: "The body is too large; at most 256 KiB.",
    ar: "المحتوى كبير جدًا؛ الحد الأقصى ‎256 KiB‎.",
    todo: "Send media by `media_url` instead of in the body.",
  },
  unsupported_media_type: {
    status: 415,
    en: "The body must be JSON in UTF-8 ('Content-Type: application/json').",
    ar: "يجب أن يكون المحتوى JSON بترميز UTF-8 ‎(Content-Type: application/json)‎.",
    todo: "Send JSON and name it in `Content-Type`.",
  },
  channel_not_allowed: {
    status: 403,
    en: "This key may not use this channel.",
    ar: "هذا المفتاح غير مسموح له باستخدام هذه القناة.",
    todo: "Allow the channel on the key, or use another key.",
  },
  channel_not_connected: {
    status: 409,
    en: "The store has no connection on this channel.",
    ar: "لا يوجد اتصال للمتجر على هذه القناة.",
    todo: "Connect the channel first; `action=status` shows the connections.",
  },
  capability_unsupported: {
    status: 422,
    en: "The channel can't carry this content.",
    ar: "القناة لا تدعم هذا المحتوى.",
    todo: "Leave the named field out, or send by another channel.",
  },
  window_closed: {
    status: 422,
    en: "The provider's window for free messages to this person is closed.",
    ar: "انتهت المهلة التي يسمح بها المزوّد لمراسلة هذا الشخص بحرّية.",
    todo: "Send a template, or wait until the person writes.",
  },
  conversation_not_open: {
    status: 422,
    en: "This person has not written yet, and the channel does not allow a first message.",
    ar: "لم يكتب هذا الشخص بعد، والقناة لا تسمح ببدء المحادثة.",
    todo: "Wait until the person writes first.",
  },
  credentials_refused: {
    status: 422,
    en: "The provider did not accept these credentials.",
    ar: "لم يقبل المزوّد بيانات الاعتماد هذه.",
    todo: "Check the credentials where the provider shows them, and give them again.",
  },
  not_found: {
    status: 404,
    en: "There is nothing here under this name or id.",
    ar: "لا يوجد شيء بهذا الاسم أو المعرّف.",
    todo: "Check the id; ids of another key or store are not shown.",
  },
  conflict: {
    status: 409,
    en: "This does not fit the present state.",
    ar: "هذا لا يتوافق مع الحالة الحالية.",
    todo: "Read the message; it says what stands in the way.",
  },
  unauthorized: {
    status: 401,
    en: "The admin token is missing or wrong.",
    ar: "رمز المسؤول غير موجود أو غير صحيح.",
    todo: "Send 'Authorization: Bearer <admin token>'.",
  },
  internal_error: {
    status: 500,
    en: "Something broke on our side. The request id helps to find it.",
    ar: "حدث خطأ لدينا. رقم الطلب يساعد في العثور عليه.",
    todo: "Try again; if it stays, report the `request_id`.",
  },
  unavailable: {
    status: 503,
    en: "The service can't store anything just now. Try again shortly with the same Idempotency-Key, and nothing is sent twice.",
    ar: "لا يمكن للخدمة حفظ أي شيء الآن. أعد المحاولة بعد قليل مع Idempotency-Key نفسه، ولن يُرسل شيء مرتين.",
    todo: "Repeat the request after `Retry-After` seconds, with the same Idempotency-Key.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as ErrorCode[];

export interface ErrorDetail {
  readonly path: string;
  readonly message: string;
}

export interface ErrorOptions {
  /** Replaces the table's English text where more can be said. */
  readonly message?: string;
  readonly details?: readonly ErrorDetail[];
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfter?: number;
  /** For the `Allow` header. */
  readonly allow?: string;
  readonly cause?: unknown;
}

/** An error of the table: thrown anywhere, answered in one place. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly retryAfter: number | undefined;
  readonly allow: string | undefined;
  /** Whether the text was written for this case (and so stays English), or is the table's. */
  readonly ownText: boolean;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(
      options.message ?? errorTable[code].en,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ApiError";
    this.code = code;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
    this.ownText = options.message !== undefined;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

/** The JSON body of an error answer. */
export interface ErrorBody {
  readonly ok: false;
  readonly error: ErrorCode;
  readonly message: string;
  readonly request_id: string;
  readonly details?: readonly ErrorDetail[];
}

/** The body for an error; Arabic when the caller asked for it and the text is the table's. */
export function errorBody(
  error: ApiError,
  requestId: string,
  language: "en" | "ar" = "en",
): ErrorBody {
  const message = language === "ar" && !error.ownText ? errorTable[error.code].ar : error.message;
  const body = { ok: false as const, error: error.code, message, request_id: requestId };
  return error.details === undefined ? body : { ...body, details: error.details };
}
