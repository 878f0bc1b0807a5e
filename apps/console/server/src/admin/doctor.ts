// The doctor: what stands in the way of messages just now, each finding with what to do next.
import {
  listConnections,
  listDeadWorkers,
  listFailingEndpoints,
  listPools,
  readBacklog,
  readClock,
  readRoom,
} from "@thikaa/db";
import type { Backlog } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import type { House } from "../house.ts";
import { finding } from "./check.ts";
import type { Check } from "./check.ts";
import { blobCheck } from "./check-blobs.ts";
import { ok } from "./route.ts";
import type { Answer, Route } from "./route.ts";

/** Seconds after which what is due should long have gone. */
const lateSeconds = 60;
const deadMinutes = 10;
/** Milliseconds between two clocks that still mean the same moment. */
const clockToleranceMs = 1_000;
/** Without one of each nothing goes through. */
const neededRoles = ["gateway", "inbox", "webhooks"];

async function doctor(house: House): Promise<Answer> {
  const { database } = house;
  const [backlog, connections] = await Promise.all([
    readBacklog(database),
    listConnections(database),
  ]);
  const attention = connections.filter(({ state }) => state === "attention");
  const checks = [
    natsCheck(house),
    ...(await processChecks(house, backlog)),
    ...queueChecks(backlog),
    await poolCheck(house),
    await clockCheck(house),
    finding({
      name: "connections",
      wrong: attention.map(
        ({ store, name, id, reason }) =>
          `${store}/${name} (${toWireId("connection", id)}): ${reason?.message ?? "needs a person"}`,
      ),
      fine: "none needs a person",
      next: "Give the connection new credentials, or remove it: npm run -s thikaa -- connection show <id>",
    }),
    await endpointCheck(house),
    await blobCheck(house),
  ];
  return ok({ healthy: checks.every((check) => check.ok), checks });
}

function natsCheck({ bus }: House): Check {
  return finding({
    name: "NATS",
    wrong: bus.connected ? [] : ["away; everything goes on, but up to a second later"],
    fine: "connected",
    next: "Check NATS_URL and the server.",
  });
}

async function processChecks({ database }: House, backlog: Backlog): Promise<Check[]> {
  const dead = await listDeadWorkers(database, deadMinutes);
  const roles = backlog.workers.map(({ role }) => role);
  const missing = neededRoles.filter((role) => !roles.includes(role));
  return [
    finding({
      name: "workers",
      wrong: missing.map((role) => `no ${role} is alive`),
      fine: backlog.workers.map(({ role, count }) => `${role} × ${count}`).join(", "),
      next: "Start it, or look into its log for why it ended.",
    }),
    finding({
      name: "ended workers",
      wrong: dead.map(
        ({ role, host, since }) => `${role} on ${host} was lost at ${since.toISOString()}`,
      ),
      fine: `none was lost in the last ${deadMinutes} minutes`,
      next: "Others took its work over. Find out what killed it: memory, its node, or its lease (thikaa_worker_leases_lost_total).",
    }),
    finding({
      name: "assignments",
      wrong: backlog.unowned.map(({ kind, count }) => `${kind}: ${count} owned by nobody`),
      fine: "every shard and connection has its worker",
      next: "Wait 20 seconds and ask again. If it stays: start the app that runs them; a connection needs its channel's.",
    }),
  ];
}

const nextByQueue: Readonly<Record<Backlog["queues"][number]["queue"], string>> = {
  send: "See which: npm run -s thikaa -- connection list, then message <id> for one that waits. A connection that is limited or needs a person holds its own messages; otherwise start more of the channel's app.",
  delivery: "See the check of webhooks; otherwise start more of webhooks.",
  inbound: "Look into the inbox's log, and start more of inbox.",
  events:
    "Look into the inbox's log: it gives events their numbers. Until then no webhook goes out.",
};

function queueChecks({ queues, held }: Backlog): Check[] {
  const late = [...Map.groupBy(queues, ({ queue }) => queue)].map(([queue, rows]) =>
    finding({
      name: `${queue} queue`,
      wrong: rows
        .filter(({ age }) => age > lateSeconds)
        .map(({ channel, age }) => `${channel}: the oldest has been due for ${Math.round(age)} s`),
      fine: `nothing is late${countOf(rows)}`,
      next: nextByQueue[queue],
    }),
  );
  const waiting = held.filter(({ count }) => count > 0);
  return [
    ...late,
    finding({
      name: "held messages",
      wrong: waiting.map(({ channel, count }) => `${channel}: ${count} wait for a decision`),
      fine: "none waits for a person's decision",
      next: "Nobody knows whether the provider took them. Look at each: npm run -s thikaa -- messages --store <slug>. What is not decided ends at its deadline.",
    }),
  ];
}

function countOf(rows: Backlog["queues"]): string {
  const total = rows.reduce((sum, { rows: count }) => sum + (count ?? 0), 0);
  return total === 0 ? "" : `, ${total} rows`;
}

async function poolCheck({ database }: House): Promise<Check> {
  const [room, pools] = [await readRoom(database), await listPools(database)];
  const allowed = room.maxConnections - room.reserved;
  const wanted = pools.reduce((sum, { connections }) => sum + connections, 0);
  const numbers = `all pools together may open ${wanted} connections (${pools.map(({ role, connections }) => `${role} ${connections}`).join(", ")}), PostgreSQL allows ${allowed} (max_connections ${room.maxConnections}, ${room.reserved} reserved), ${room.inUse} are open`;
  return finding({
    name: "connection pools",
    wrong: wanted > allowed ? [numbers] : [],
    fine: numbers,
    next: "Raise max_connections, run fewer processes, or set DATABASE_POOL_SIZE lower.",
  });
}

async function clockCheck({ database }: House): Promise<Check> {
  const asked = Date.now();
  const theirs = await readClock(database);
  // The answer was read somewhere between the question and now.
  const off = theirs < asked ? asked - theirs : Math.max(0, theirs - Date.now());
  const detail = `this process and PostgreSQL are ${Math.round(off)} ms apart`;
  return finding({
    name: "clock",
    wrong: off > clockToleranceMs ? [detail] : [],
    fine: detail,
    next: "Nothing is ordered by it, but signatures and measured lags are wrong. Set the machines' clocks by NTP.",
  });
}

async function endpointCheck({ database }: House): Promise<Check> {
  const failing = await listFailingEndpoints(database);
  return finding({
    name: "webhooks",
    wrong: failing.map(
      ({ store, id, status, reason }) =>
        `${store} (${toWireId("endpoint", id)}): ${status}, ${reason ?? "no reason is known"}`,
    ),
    fine: "no endpoint fails",
    next: "Its owner must mend the URL; what waits is delivered then. A disabled one begins again when its webhook is set anew.",
  });
}

export const doctorRoutes: readonly Route[] = [{ method: "GET", path: "/doctor", handle: doctor }];
