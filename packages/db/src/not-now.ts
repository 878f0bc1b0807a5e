// Which errors of PostgreSQL mean "not now", and which refuse a row.

/** PostgreSQL's codes for "not now": the server is away, starting, stopping, full, or waited too long for a lock. */
const unavailableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "53100",
  "53200",
  "55P03",
  "57014",
  "08000",
  "08003",
  "08006",
  "25006",
  "58030",
]);

/** Whether an error means that PostgreSQL can't serve now, and the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  if (unavailableCodes.has(code) || code.startsWith("08")) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|server closed the connection/i.test(
    error.message,
  );
}

/** Whether an error means that PostgreSQL itself is away or full, and not that one statement waited too long for a lock or an answer. */
export function isAway(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return isUnavailable(error) && code !== "55P03" && code !== "57014";
}

/** Whether an error is a unique index refusing a row; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "23505") return false;
  return constraint === undefined || ("constraint" in error && error.constraint === constraint);
}
