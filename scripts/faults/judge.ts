// The judge: what was accepted, sent, told and charged, from the driver's notes and the stand-in's and the sink's records.
import { setTimeout as pause } from "node:timers/promises";
import { verifyWebhook } from "@thikaa/sdk";
import { waitFor } from "@thikaa/testkit";
import type { Customers, Driver, Intent } from "./driver.ts";
import type { FaultHouse } from "./house.ts";

/** Everything that was found about one scene. All lists are empty when all promises held. */
export interface Verdict {
  readonly accepted: number;
  readonly lost: string[];
  readonly neverAccepted: string[];
  readonly duplicates: number;
  readonly flagged: number;
  /** Sent twice, and the message does not say so. */
  readonly silentDuplicates: string[];
  /** Messages that went before an earlier one of their lane. */
  readonly outOfOrder: string[];
  readonly said: number;
  readonly inboundLost: string[];
  readonly inboundTwice: string[];
  readonly inboundOutOfOrder: string[];
  readonly badSignatures: number;
  readonly books: Books;
  readonly statuses: Record<string, number>;
  /** Milliseconds from the accepting answer to the stand-in. */
  readonly deliveryMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface Books {
  /** Credits. */
  readonly balance: number;
  readonly ledger: number;
  readonly openingMinusCharged: number;
  /** Event numbers that are missing, come twice or were told to nobody. */
  readonly sequenceFaults: string[];
}

interface Receipt {
  readonly n: number;
  readonly at: number;
}

interface View {
  readonly status: string;
  readonly price: number;
  readonly refunded: boolean;
  readonly possible_duplicate: boolean;
}

const viewsAtOnce = 16;
const lookEveryMs = 200;
/** Charged by earlier scenes of the same house, which share its balance. */
const chargedBefore = new WeakMap<FaultHouse, number>();

/** Waits until the house is at rest, then judges. `withinMs` is how long the rest may take to come; what is not there by then is lost. */
export async function judge(
  house: FaultHouse,
  scene: { driver: Driver; customers: Customers | null; withinMs: number },
): Promise<Verdict> {
  const { driver, customers, withinMs } = scene;
  await untilAtRest(house, scene).catch(() => {});
  const receipts = receiptsOf(house, driver);
  const views = await viewsOf(house, driver.intents, withinMs);
  const twice = [...receipts].filter(([, list]) => list.length > 1).map(([text]) => text);
  const known = new Set(driver.intents.filter(({ accepted }) => accepted).map(({ text }) => text));
  const inbound = inboundOf(house);
  const said = customers?.said ?? [];
  return {
    accepted: known.size,
    lost: [...known].filter((text) => !receipts.has(text)),
    neverAccepted: [...receipts.keys()].filter((text) => !known.has(text)),
    duplicates: twice.length,
    flagged: [...views.values()].filter((view) => view.possible_duplicate).length,
    silentDuplicates: twice.filter((text) => views.get(text)?.possible_duplicate !== true),
    outOfOrder: outOfOrder(driver.intents, receipts),
    said: said.length,
    inboundLost: said.filter(({ text }) => !inbound.events.has(text)).map(({ text }) => text),
    inboundTwice: said
      .filter(({ text }) => (inbound.events.get(text)?.size ?? 0) > 1)
      .map(({ text }) => text),
    inboundOutOfOrder: inboundOutOfOrder(said, inbound.sequences),
    badSignatures: inbound.badSignatures,
    books: await booksOf(house, views),
    statuses: countBy([...views.values()].map(({ status }) => status)),
    deliveryMs: deliveryTimes(driver.intents, receipts),
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
  const faults = lists.flatMap((name) =>
    verdict[name].length === 0
      ? []
      : [`${name}: ${verdict[name].length} (${verdict[name].slice(0, 5).join("; ")})`],
  );
  if (verdict.badSignatures > 0)
    faults.push(`webhooks with a bad signature: ${verdict.badSignatures}`);
  if (books.balance !== books.ledger || books.balance !== books.openingMinusCharged)
    faults.push(`the books do not agree: ${JSON.stringify(books)}`);
  return [...faults, ...books.sequenceFaults.slice(0, 5)];
}

async function untilAtRest(
  house: FaultHouse,
  scene: { driver: Driver; customers: Customers | null; withinMs: number },
): Promise<void> {
  const empty = ["send_queue", "inbound_items", "events_unnumbered", "delivery_queue"];
  await waitFor(
    async () => {
      await pause(lookEveryMs);
      const receipts = receiptsOf(house, scene.driver);
      if (scene.driver.intents.some(({ text, accepted }) => accepted && !receipts.has(text)))
        return false;
      const { events } = inboundOf(house);
      if (scene.customers?.said.some(({ text }) => !events.has(text))) return false;
      const { queues } = await house.admin.request<{ queues: Record<string, number> }>(
        "GET",
        "/status",
      );
      return empty.every((name) => queues[name] === 0);
    },
    { what: "rest", deadlineMs: scene.withinMs },
  );
}

/** What the stand-in took, by text. */
function receiptsOf(house: FaultHouse, driver: Driver): Map<string, Receipt[]> {
  const found = new Map<string, Receipt[]>();
  const prefix = `${driver.name} `;
  for (const { n, at, parameters } of house.standIn.record.calls({
    method: "sendMessage",
    accepted: true,
  })) {
    const text = String(parameters["text"]);
    if (text.startsWith(prefix)) found.set(text, [...(found.get(text) ?? []), { n, at }]);
  }
  return found;
}

async function viewsOf(
  house: FaultHouse,
  intents: readonly Intent[],
  withinMs: number,
): Promise<Map<string, View>> {
  const views = new Map<string, View>();
  const left = intents.filter(({ accepted }) => accepted !== null);
  const work = async (): Promise<void> => {
    for (let intent = left.pop(); intent !== undefined; intent = left.pop()) {
      const { text, accepted } = intent;
      views.set(
        text,
        await waitFor(() => viewOf(house, accepted?.messageId ?? ""), {
          what: `the message ${text}`,
          deadlineMs: withinMs,
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: viewsAtOnce }, work));
  return views;
}

async function viewOf(house: FaultHouse, messageId: string): Promise<View | null> {
  const url = `${house.services.of("gateway")[0]?.url}/${house.store}/api/messaging?action=message&id=${messageId}`;
  const response = await fetch(url, { headers: { Authorization: `Bearer ${house.apiKey}` } });
  return response.status === 200 ? ((await response.json()) as View) : null;
}

function outOfOrder(intents: readonly Intent[], receipts: Map<string, Receipt[]>): string[] {
  const faults: string[] = [];
  for (const list of Map.groupBy(intents, ({ lane }) => lane).values()) {
    let latest = 0;
    for (const { text } of list.toSorted((left, right) => left.place - right.place)) {
      const first = receipts.get(text)?.[0]?.n;
      if (first === undefined) continue;
      if (first < latest) faults.push(text);
      latest = Math.max(latest, first);
    }
  }
  return faults;
}

interface Told {
  read: number;
  badSignatures: number;
  /** By a customer's text, the ids of the events that told of it. */
  readonly events: Map<string, Set<string>>;
  readonly sequences: Map<string, number>;
  /** The numbers of all events, of every kind. */
  readonly numbers: Set<number>;
}

/** What the sink was told so far; each webhook is checked once. */
const told = new WeakMap<FaultHouse, Told>();

function inboundOf(house: FaultHouse): Told {
  const all = told.get(house) ?? {
    read: 0,
    badSignatures: 0,
    events: new Map<string, Set<string>>(),
    sequences: new Map<string, number>(),
    numbers: new Set<number>(),
  };
  told.set(house, all);
  for (const { body, headers } of house.sink.received.slice(all.read)) {
    all.read += 1;
    try {
      const event = verifyWebhook({ body, headers, secret: house.webhookSecret });
      all.numbers.add(event.sequence);
      if (event.event !== "message.received") continue;
      const text = String(event.data.message);
      all.events.set(text, (all.events.get(text) ?? new Set()).add(event.event_id));
      all.sequences.set(text, event.sequence);
    } catch {
      all.badSignatures += 1;
    }
  }
  return all;
}

function inboundOutOfOrder(
  said: readonly { text: string; lane: string }[],
  sequences: Map<string, number>,
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

async function booksOf(house: FaultHouse, views: Map<string, View>): Promise<Books> {
  const charged = [...views.values()].reduce(
    (sum, { price, refunded }) => sum + (refunded ? 0 : price),
    chargedBefore.get(house) ?? 0,
  );
  chargedBefore.set(house, charged);
  const { stores } = await house.admin.request<{ stores: { slug: string; balance: number }[] }>(
    "GET",
    "/stores",
  );
  const { rows } = await house.database.query<{ micro: string; numbers: string[] }>({
    text: `SELECT (SELECT sum(amount_micro) FROM ledger)::text AS micro,
                  (SELECT coalesce(array_agg(sequence::text ORDER BY sequence), '{}') FROM events) AS numbers`,
  });
  return {
    balance: stores.find(({ slug }) => slug === house.store)?.balance ?? Number.NaN,
    ledger: Number(rows[0]?.micro) / 1_000_000,
    openingMinusCharged: Math.round((house.openingCredits - charged) * 1_000_000) / 1_000_000,
    sequenceFaults: sequenceFaults((rows[0]?.numbers ?? []).map(Number), inboundOf(house).numbers),
  };
}

/** Numbers that leave a gap or come again, and events that no webhook told of. */
function sequenceFaults(numbers: readonly number[], toldOf: ReadonlySet<number>): string[] {
  return numbers.flatMap((number, index) => [
    ...(number === index + 1 ? [] : [`event number ${number} stands at place ${index + 1}`]),
    ...(toldOf.has(number) ? [] : [`no webhook told of event number ${number}`]),
  ]);
}

function deliveryTimes(intents: readonly Intent[], receipts: Map<string, Receipt[]>) {
  const times = intents
    .flatMap(({ text, accepted }) => {
      const first = receipts.get(text)?.[0];
      return accepted === null || first === undefined ? [] : [Math.max(0, first.at - accepted.at)];
    })
    .toSorted((left, right) => left - right);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { p50: at(0.5) ?? 0, p99: at(0.99) ?? 0, max: times.at(-1) ?? 0 };
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
