// "Too many requests" for one chat delays no other chat, and for one bot no other bot: measured against quiet rounds of the same run.
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WholeLine } from "./fixtures/whole-line.ts";
import type { ConnectedBot } from "./fixtures/whole-line.ts";

/** Enough that p99 is not the one slowest of all. */
const rounds = 15;
const people = Array.from({ length: 10 }, (_, n) => 710_000_000 + n);
/** What a shared machine's own unrest may add, in milliseconds. */
const unrestMs = 25;

let line: WholeLine;
let telegram: TelegramStandIn;
let other: ConnectedBot;
beforeAll(async () => {
  line = await WholeLine.open();
  ({ telegram } = line);
  for (const id of people) {
    telegram.addPerson({ id, firstName: `p${id}` });
    telegram.openChat({ personId: id, botId: line.bot.id });
  }
  other = await line.connectBot();
}, 60_000);
afterAll(() => line?.close());

interface Target {
  readonly botId: number;
  readonly personId: number;
}

async function send({ botId, personId }: Target, message: string): Promise<void> {
  const connection = botId === other.id ? { connection_id: other.connectionId } : {};
  const answer = await line.call("send", {
    channel: "tg",
    to: String(personId),
    message,
    ...connection,
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

/** Sends one message to each, one after the other; gives the milliseconds from each call of ours to Telegram's acceptance. */
async function latencies(targets: readonly Target[], label: string): Promise<number[]> {
  const begun = new Map<string, number>();
  for (const target of targets) {
    const text = `${label} ${target.botId} ${target.personId}`;
    begun.set(text, telegram.clock.now());
    await send(target, text);
  }
  const accepted = () =>
    telegram.record
      .calls({ method: "sendMessage", accepted: true })
      .filter(({ parameters }) => begun.has(String(parameters["text"])));
  await telegram.record.until(() => accepted().length === targets.length, 30_000);
  return accepted().map(({ at, parameters }) => at - (begun.get(String(parameters["text"])) ?? 0));
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((one, two) => one - two);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

/** Quiet and troubled rounds by turns; the others' p99 in the one kind and in the other. */
async function compare(given: {
  name: string;
  others: readonly Target[];
  trouble: () => Promise<() => void>;
}): Promise<{ quiet: number; troubled: number }> {
  const [quiet, troubled]: [number[], number[]] = [[], []];
  await latencies(given.others, `${given.name} warming`);
  for (let round = 0; round < rounds; round++) {
    quiet.push(...(await latencies(given.others, `${given.name} quiet ${round}`)));
    const end = await given.trouble();
    troubled.push(...(await latencies(given.others, `${given.name} troubled ${round}`)));
    end();
  }
  return { quiet: p99(quiet), troubled: p99(troubled) };
}

test("429 for one chat delays no other chat of the bot", { timeout: 120_000 }, async () => {
  const [slow = 0, ...rest] = people;
  const { quiet, troubled } = await compare({
    name: "chat",
    others: rest.map((personId) => ({ botId: line.bot.id, personId })),
    trouble: () => throttle({ chatId: slow }, [{ botId: line.bot.id, personId: slow }]),
  });
  expect(troubled).toBeLessThanOrEqual(2 * quiet + unrestMs);
});

test("429 for one bot delays no other bot", { timeout: 120_000 }, async () => {
  const { quiet, troubled } = await compare({
    name: "bot",
    others: people.map((personId) => ({ botId: other.id, personId })),
    trouble: () =>
      throttle(
        { botId: line.bot.id },
        people.map((personId) => ({ botId: line.bot.id, personId })),
      ),
  });
  expect(troubled).toBeLessThanOrEqual(2 * quiet + unrestMs);
});

/** Telegram answers 429 to these, and each has a message that meets it. */
async function throttle(
  scope: { chatId: number } | { botId: number },
  targets: readonly Target[],
): Promise<() => void> {
  const fault = telegram.faults.add({
    kind: "throttled",
    retryAfter: 1,
    times: "always",
    method: "sendMessage",
    ...scope,
  });
  for (const target of targets) await send(target, "waits");
  await telegram.record.until(() => fault.hits > 0);
  return () => fault.remove();
}
