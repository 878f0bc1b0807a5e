// The judge: what was accepted, sent, told and charged, from the driver's notes and the stand-in's and the sink's records.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { booksOf } from "./books.ts";
import type { Books } from "./books.ts";
import type { Customers, Driver, Intent } from "./driver.ts";
import type { Played, Receipt } from "./house.ts";
import { toldTo } from "./told.ts";

/** Everything that was found about one scene. All lists are empty when all promises held. */
export interface Verdict {
  readonly accepted: number;
  readonly lost: string[];
  readonly neverAccepted: string[];
  /** Parts that the person got more than once. */
  readonly duplicates: number;
  readonly flagged: number;
  /** Sent twice, and the message does not say so. */
  readonly silentDuplicates: string[];
  /** Parts that went before an earlier one of their lane. */
  readonly outOfOrder: string[];
  readonly said: number;
  readonly inboundLost: string[];
  readonly inboundTwice: string[];
  readonly inboundOutOfOrder: string[];
  readonly badSignatures: number;
  readonly books: Books;
  readonly statuses: Record<string, number>;
  /** Milliseconds from the accepting answer to the stand-in. */
  readonly deliveryMs: Times;
  /** Milliseconds from a customer's word to the webhook that told of it. */
  readonly toldMs: Times;
  /** Sends whose accepting answer was lost, and that were known by their Idempotency-Key when asked again. */
  readonly replayed: number;
  /** Milliseconds in which no send was accepted, at the longest. */
  readonly refusedMs: number;
}

export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface View {
  readonly status: string;
  readonly price: number;
  readonly refunded: boolean;
  readonly possible_duplicate: boolean;
}

export interface Judged {
  readonly driver: Driver;
  readonly customers: Customers;
  /** How long the rest may take to come, in milliseconds; what is not there by then is lost. */
  readonly withinMs: number;
  /** Rows of the queues that belong to nobody here. */
  readonly queuedApart: number;
}

const viewsAtOnce = 16;
const lookEveryMs = 200;

/** Waits until the house is at rest, then judges. */
export async function judge(house: Played, judged: Judged): Promise<Verdict> {
  const { driver, customers } = judged;
  await untilAtRest(house, judged).catch(() => {});
  const receipts = house.receipts(`${driver.name} `);
  const views = await viewsOf(house, driver.intents, judged.withinMs);
  const known = driver.intents.filter(({ accepted }) => accepted !== null);
  const expected = new Map(
    known.flatMap((intent) => intent.parts.map((part) => [part, intent.key])),
  );
  const twice = [...receipts].filter(([, list]) => list.length > 1).map(([part]) => part);
  const told = toldTo(house);
  const { said } = customers;
  return {
    accepted: known.length,
    lost: [...expected.keys()].filter((part) => !receipts.has(part)),
    neverAccepted: [...receipts.keys()].filter((part) => !expected.has(part)),
    duplicates: twice.length,
    flagged: [...views.values()].filter((view) => view.possible_duplicate).length,
    silentDuplicates: twice.filter(
      (part) => views.get(expected.get(part) ?? "")?.possible_duplicate !== true,
    ),
    outOfOrder: outOfOrder(driver.intents, receipts),
    said: said.length,
    inboundLost: said.filter(({ text }) => !told.events.has(text)).map(({ text }) => text),
    inboundTwice: said
      .filter(({ text }) => (told.events.get(text)?.size ?? 0) > 1)
      .map(({ text }) => text),
    inboundOutOfOrder: inboundOutOfOrder(said, told.sequences),
    badSignatures: told.badSignatures,
    books: await booksOf(house, chargedBy(views)),
    statuses: countBy([...views.values()].map(({ status }) => status)),
    deliveryMs: deliveryTimes(driver.intents, receipts),
    toldMs: timesOf(
      said.flatMap(({ text, at }) => {
        const first = told.firstAt.get(text);
        return first === undefined ? [] : [first - at];
      }),
    ),
    replayed: driver.answers.filter(({ replayed }) => replayed).length,
    refusedMs: longestRefusal(driver),
  };
}

/** Names every promise that was broken. Empty is good. */
export function broken(verdict: Verdict): string[] {
  const lists = [
    "lost",
    "neverAccepted",
    "silentDuplicates",
    "outOfOrder",
    "inboundLost",
    "inboundTwice",
    "inboundOutOfOrder",
  ] as const;
  const { books } = verdict;
  if (verdict.lost.length > 0)
    process.stderr.write(`lost, while all are: ${JSON.stringify(verdict.statuses)}\n`);
  const faults = lists.flatMap((name) =>
    verdict[name].length === 0
      ? []
      : [`${name}: ${verdict[name].length} (${verdict[name].slice(0, 5).join("; ")})`],
  );
  if (verdict.badSignatures > 0)
    faults.push(`webhooks with a bad signature: ${verdict.badSignatures}`);
  if (books.balance !== books.ledger || books.balance !== books.openingMinusCharged)
    faults.push(
      `the books do not agree: ${JSON.stringify({ ...books, sequenceFaults: undefined })}`,
    );
  return [...faults, ...books.sequenceFaults.slice(0, 5)];
}

async function untilAtRest(
  house: Played,
  { driver, customers, withinMs, queuedApart }: Judged,
): Promise<void> {
  const empty = ["send_queue", "inbound_items", "events_unnumbered", "delivery_queue"];
  await waitFor(
    async () => {
      await pause(lookEveryMs);
      const receipts = house.receipts(`${driver.name} `);
      const isMissing = ({ accepted, parts }: Intent): boolean =>
        accepted !== null && parts.some((part) => !receipts.has(part));
      if (driver.intents.some(isMissing)) return false;
      const { events } = toldTo(house);
      if (customers.said.some(({ text }) => !events.has(text))) return false;
      const { queues } = await house.admin.request<{ queues: Record<string, number> }>(
        "GET",
        "/status",
      );
      return empty.every((name) => (queues[name] ?? 0) <= queuedApart);
    },
    { what: "rest", deadlineMs: withinMs },
  );
}

async function viewsOf(
  house: Parameters<typeof viewOf>[0],
  intents: readonly Intent[],
  withinMs: number,
): Promise<Map<string, View>> {
  const views = new Map<string, View>();
  const left = intents.filter(({ accepted }) => accepted !== null);
  const work = async (): Promise<void> => {
    for (let intent = left.pop(); intent !== undefined; intent = left.pop()) {
      const { key, accepted } = intent;
      const view = await waitFor(() => viewOf(house, accepted?.messageId ?? ""), {
        what: `the message ${key}`,
        deadlineMs: withinMs,
      });
      views.set(key, view);
    }
  };
  await Promise.all(Array.from({ length: viewsAtOnce }, work));
  return views;
}

/** A message as its sender sees it; `null` when it can't be had now. */
export async function viewOf(
  house: Pick<Played, "gateways" | "slug" | "apiKey">,
  messageId: string,
): Promise<View | null> {
  const url = `${house.gateways()[0]}/${house.slug}/api/messaging?action=message&id=${messageId}`;
  const response = await fetch(url, { headers: { Authorization: `Bearer ${house.apiKey}` } });
  return response.status === 200 ? ((await response.json()) as View) : null;
}

function outOfOrder(
  intents: readonly Intent[],
  receipts: ReadonlyMap<string, readonly Receipt[]>,
): string[] {
  const faults: string[] = [];
  for (const lane of Map.groupBy(intents, (intent) => intent.lane).values()) {
    let latest = 0;
    const inOrder = lane.toSorted((left, right) => left.place - right.place);
    for (const part of inOrder.flatMap(({ parts }) => parts)) {
      const first = receipts.get(part)?.[0]?.n;
      if (first === undefined) continue;
      if (first < latest) faults.push(part);
      latest = Math.max(latest, first);
    }
  }
  return faults;
}

function inboundOutOfOrder(
  said: readonly { text: string; lane: string }[],
  sequences: ReadonlyMap<string, number>,
): string[] {
  const faults: string[] = [];
  const latest = new Map<string, number>();
  for (const { text, lane } of said) {
    const sequence = sequences.get(text) ?? 0;
    if (sequence < (latest.get(lane) ?? 0)) faults.push(text);
    latest.set(lane, Math.max(sequence, latest.get(lane) ?? 0));
  }
  return faults;
}

function chargedBy(views: ReadonlyMap<string, View>): number {
  return [...views.values()].reduce((sum, { price, refunded }) => sum + (refunded ? 0 : price), 0);
}

function deliveryTimes(
  intents: readonly Intent[],
  receipts: ReadonlyMap<string, readonly Receipt[]>,
): Times {
  return timesOf(
    intents.flatMap(({ key, accepted }) => {
      const first = receipts.get(key)?.[0];
      return accepted === null || first === undefined ? [] : [Math.max(0, first.at - accepted.at)];
    }),
  );
}

/** The median, the 99th percentile and the longest of some milliseconds. */
export function timesOf(milliseconds: readonly number[]): Times {
  const sorted = milliseconds.toSorted((left, right) => left - right);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

function longestRefusal({ answers }: Driver): number {
  const accepted = answers.filter(({ status }) => status === 200).map(({ at }) => at);
  return accepted.reduce(
    (longest, at, index) => Math.max(longest, at - (accepted[index - 1] ?? at)),
    0,
  );
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
