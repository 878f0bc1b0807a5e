// `doctor`: looks for what commonly stands in the way, and says what to do about each.
import type { Command, Context } from "../command.ts";
import { Problem } from "../problem.ts";
import { listOf, textOf } from "../values.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; absent when the detail says it, `null` when nothing is wrong. */
  readonly next?: string | null;
}

async function run(context: Context): Promise<number> {
  const checks = await examine(context);
  const healthy = checks.every((check) => check.ok);
  context.output.result({ healthy, checks }, () => checks.map(lineOf).join("\n"));
  return healthy ? 0 : 1;
}

function lineOf({ ok, name, detail, next }: Check): string {
  const line = `${ok ? "ok  " : "FAIL"}  ${name}: ${detail}`;
  return next == null ? line : `${line}\n      → ${next}`;
}

/** Later checks need the earlier ones, so it ends at the first wall. */
async function examine(context: Context): Promise<Check[]> {
  const reached = await examineReadiness(context);
  if (!reached.reached) return reached.checks;
  try {
    const found = await context.client.request("GET", "/doctor");
    return [
      ...reached.checks,
      { name: "admin token", ok: true, detail: `accepted (from ${context.config.tokenFrom})` },
      ...listOf(found, "checks").map((check) => ({
        name: textOf(check, "name"),
        ok: check["ok"] === true,
        detail: textOf(check, "detail"),
        next: textOf(check, "next") || null,
      })),
    ];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [...reached.checks, { name: "admin API", ok: false, detail: error.message }];
  }
}

async function examineReadiness({
  client,
}: Context): Promise<{ reached: boolean; checks: Check[] }> {
  try {
    const { status, text } = await client.probe("/readyz");
    const ready = status === 200;
    const detail = ready
      ? "PostgreSQL and NATS can be reached, every service is ready"
      : `/readyz answers ${status}: ${text.slice(0, 500) || "no words"}. Look into the log of the service it names`;
    return {
      reached: true,
      checks: [
        { name: "house", ok: true, detail: `answers at ${client.url}` },
        { name: "ready", ok: ready, detail },
      ],
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { reached: false, checks: [{ name: "house", ok: false, detail: error.message }] };
  }
}

export const doctor: Command = {
  words: [],
  about: "Check what commonly stands in the way",
  flags: {},
  run,
};
