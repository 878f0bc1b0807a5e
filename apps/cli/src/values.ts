// Reads values out of flags: numbers, lists, spans of time; and fields out of answers.
import type { Answer } from "./client.ts";
import { usageProblem } from "./problem.ts";

/** A number, or `undefined` when the flag is absent. */
export function numberFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw usageProblem(`--${name} must be a number, not '${text}'.`);
  return value;
}

/** Words separated by commas, or `undefined` when the flag is absent. */
export function listFlag(text: string | undefined): string[] | undefined {
  return text
    ?.split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A moment as ISO 8601, from a span back from now (`90s`, `30m`, `1h`, `2d`) or a written time. */
export function sinceFlag(text: string | undefined, now: number = Date.now()): string | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined && (unit === "s" || unit === "m" || unit === "h" || unit === "d"))
    return new Date(now - Number(count) * unitMs[unit]).toISOString();
  const written = Date.parse(text);
  if (Number.isNaN(written))
    throw usageProblem(
      `--since must be a span like 30m, 1h or 2d, or a time like 2026-11-22T10:00:00Z; not '${text}'.`,
    );
  return new Date(written).toISOString();
}

/** A field of an answer as text; empty when it is absent. */
export function textOf(answer: Answer, name: string): string {
  const value = answer[name];
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

/** A field of an answer that is an object. */
export function objectOf(answer: Answer, name: string): Answer {
  const value = answer[name];
  return isObject(value) ? value : {};
}

/** A field of an answer that is a list of objects. */
export function listOf(answer: Answer, name: string): Answer[] {
  const value = answer[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The answer without its `ok`. */
export function withoutOk(answer: Answer): Answer {
  const { ok: _ok, ...rest } = answer;
  return rest;
}

function isObject(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
