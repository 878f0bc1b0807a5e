// `doctor`: looks for what commonly stands in the way, and says what to do about each.
import type { Answer } from "../client.ts";
import type { Command, Context } from "../command.ts";
import { Problem } from "../problem.ts";
import { listOf, objectOf, textOf } from "../values.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function run(context: Context): Promise<number> {
  const checks = await examine(context);
  const healthy = checks.every((check) => check.ok);
  context.output.result({ healthy, checks }, () =>
    checks
      .map((check) => `${check.ok ? "ok  " : "FAIL"}  ${check.name}: ${check.detail}`)
      .join("\n"),
  );
  return healthy ? 0 : 1;
}

/** Later checks need the earlier ones, so it ends at the first wall. */
async function examine(context: Context): Promise<Check[]> {
  const reached = await examineReadiness(context);
  if (!reached.reached) return reached.checks;
  try {
    const status = await context.client.request("GET", "/status");
    return [
      ...reached.checks,
      { name: "admin token", ok: true, detail: `accepted (from ${context.config.tokenFrom})` },
      ...examineStatus(status),
      ...(await examineWorkers(context, status)),
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

function examineStatus(status: Answer): Check[] {
  const nats = status["nats"] === true;
  const attention = listOf(status, "attention").map(
    (connection) =>
      `${textOf(connection, "store")}/${textOf(connection, "name")} (${textOf(connection, "id")}): ${textOf(objectOf(connection, "reason"), "message")}`,
  );
  return [
    {
      name: "NATS",
      ok: nats,
      detail: nats
        ? "connected"
        : "away; everything goes on, but up to a second later. Check NATS_URL and the server",
    },
    {
      name: "connections",
      ok: attention.length === 0,
      detail: attention.length === 0 ? "none needs a person" : attention.join("; "),
    },
  ];
}

/** Every channel that has connections needs a living worker; `no_worker` says that one has none. */
async function examineWorkers({ client }: Context, status: Answer): Promise<Check[]> {
  const workers = listOf(status, "workers");
  const alive = workers
    .map((worker) => `${textOf(worker, "role")} × ${textOf(worker, "count")}`)
    .join(", ");
  const orphans = listOf(await client.request("GET", "/connections"), "connections").filter(
    (connection) => textOf(objectOf(connection, "reason"), "code") === "no_worker",
  );
  const checks = [
    {
      name: "workers",
      ok: workers.length > 0,
      detail:
        workers.length > 0
          ? alive
          : "none is alive: nothing is sent or received. Start the services",
    },
  ];
  if (orphans.length === 0) return checks;
  const channels = [...new Set(orphans.map((connection) => textOf(connection, "channel")))].join(
    ", ",
  );
  return [
    ...checks,
    {
      name: "channels",
      ok: false,
      detail: `no worker runs the connections of ${channels}. Start that channel's app`,
    },
  ];
}

export const doctor: Command = {
  words: [],
  about: "Check what commonly stands in the way",
  flags: {},
  run,
};
