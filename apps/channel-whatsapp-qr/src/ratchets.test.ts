// Nothing that is sent or comes in is ever unreadable: bursts both ways, on a store that takes its time.
import { newId } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { burstRuns } from "./fixtures/config.ts";
import { Linked, shop, zainab } from "./fixtures/linked.ts";
import type { LinkedOptions } from "./fixtures/linked.ts";

type Context = Parameters<NonNullable<LinkedOptions["through"]>>[0];

/** The store takes up to so long for each call, and longer to write than to read; half of it on the way back. */
function slow(context: Context, mostMs: number): Pick<Context, "state" | "received"> {
  const slowly = async <T>(call: () => Promise<T>, shareOfMost: number): Promise<T> => {
    await pause((mostMs * shareOfMost) / 2);
    const answer = await call();
    await pause((mostMs * shareOfMost) / 2);
    return answer;
  };
  return {
    state: {
      ...context.state,
      get: (keys) => slowly(() => context.state.get(keys), 0.2),
      set: (values) => slowly(() => context.state.set(values), 1),
    },
    received: (items, state) => slowly(() => context.received(items, state), 1),
  };
}

/** As people write: with gaps, here of no more than some milliseconds. */
async function oneAfterTheOther(
  numbers: readonly string[],
  work: (n: string) => Promise<unknown>,
): Promise<void> {
  const working: Promise<unknown>[] = [];
  for (const n of numbers) {
    working.push(work(n));
    await pause(20);
  }
  await Promise.all(working);
}

function pause(mostMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * mostMs));
}

test("one contact, both ways at once: every message can be read on both sides", async () => {
  const count = 30;
  const linked = await Linked.open({ through: (context) => slow(context, 5) });
  linked.standIn.setPhone(zainab, { retries: false });
  const numbers = Array.from({ length: count }, (_, n) => String(n));
  const first = linked.send(zainab, "hello");
  await Promise.all([
    oneAfterTheOther(numbers, (n) => linked.says(zainab, n)),
    oneAfterTheOther(numbers, async (n) => {
      expect(await linked.send(zainab, n)).toMatchObject({ class: "sent" });
    }),
  ]);
  await first;
  await linked.standIn.settled(shop, 20_000);
  expect(linked.texts).toEqual(numbers);
  expect(linked.undecryptable).toBe(0);
  expect(new Set(linked.shownBy(zainab))).toEqual(new Set(["hello", ...numbers]));
  await linked.close();
});

/** Answers everything that comes in, at the sender's LID, as soon as it is kept. */
class AutoReply {
  readonly linked: Linked;
  readonly #answers: Promise<void>[];

  private constructor(linked: Linked, answers: Promise<void>[]) {
    this.linked = linked;
    this.#answers = answers;
  }

  static async open(people: readonly string[]): Promise<AutoReply> {
    const answers: Promise<void>[] = [];
    const linked = await Linked.open({
      people: people.map((number) => ({ number })),
      through: (context) => {
        const { state, received } = slow(context, 10);
        return {
          state,
          async received(items, values) {
            await received(items, values);
            for (const item of items) {
              const said = linked.connector.convert(item);
              if (said.kind === "message" && said.text !== null)
                answers.push(answer(linked, said.from, `re ${said.text}`));
            }
          },
        };
      },
    });
    // A person whose phone asks again for what it can't read would hide that it could not.
    for (const number of people) linked.standIn.setPhone(number, { retries: false });
    return new AutoReply(linked, answers);
  }

  /** Resolves when everything has come in and was answered, or that takes too long: then something of it was unreadable. */
  async atRest(): Promise<void> {
    const { standIn } = this.linked;
    await standIn.settled(shop, restWithinMs).catch(() => undefined);
    while (this.#answers.length > 0) await Promise.all(this.#answers.splice(0));
    await standIn.settled(shop, restWithinMs).catch(() => undefined);
  }
}

/** As the queue does: the same message again for as long as the connection is on its way. Whoever's number is known is written to at the LID all the same. */
async function answer(linked: Linked, from: string, text: string): Promise<void> {
  const to = from.endsWith("@lid") ? from : linked.standIn.phone(from).lid;
  const id = newId();
  await waitFor(async () => (await linked.send(to, text, id)).class === "sent", {
    what: `the answer ${text} to be sent`,
    deadlineMs: 20_000,
  });
}

const inBurst = 3;
const restWithinMs = 10_000;

test.each(Array.from({ length: burstRuns() }, (_, n) => n + 1))(
  "thirty contacts write in bursts and are answered at their LIDs, while the connection moves: nothing is undecryptable (run %i)",
  async () => {
    const people = Array.from({ length: 30 }, (_, n) => String(9_647_701_000_000 + n));
    const autoReply = await AutoReply.open(people);
    const { linked } = autoReply;
    const said: string[] = [];
    const burst = async (write: (texts: readonly string[]) => Promise<void>) => {
      const texts = Array.from({ length: inBurst }, (_, n) => String(said.length + n + 1));
      said.push(...texts);
      await write(texts);
      await autoReply.atRest();
      const answers = people.flatMap((person) => linked.shownBy(person));
      expect({
        undecryptable: linked.undecryptable,
        unreadableAnswers: answers.filter((text) => text === null).length,
        said: linked.texts.length,
        answers: answers.length,
      }).toEqual({
        undecryptable: 0,
        unreadableAnswers: 0,
        said: people.length * said.length,
        answers: people.length * said.length,
      });
    };
    // The first answer to somebody is on its way while their next messages are read: that is where a lock is missed.
    const inTurn = async (texts: readonly string[]) => {
      for (const person of people) {
        const answered = linked.standIn.messages(person, shop).length + texts.length;
        await Promise.all(texts.map((text) => linked.says(person, text)));
        await waitFor(() => linked.standIn.messages(person, shop).length > answered, {
          what: "the first answer",
        });
      }
    };
    // The connection moves, as to another process, and begins a new session with each person, while what they wrote in the
    // one before is on its way: that is where a trial decryption goes wrong.
    const allAtOnce = async (texts: readonly string[]) => {
      const writing = people.flatMap((person) => texts.map((text) => linked.says(person, text)));
      await linked.reopen();
      await Promise.all(writing);
    };
    await burst(inTurn);
    await burst(allAtOnce);
    await burst(inTurn);
    await burst(allAtOnce);
    for (const person of people)
      expect(new Set(linked.shownBy(person))).toEqual(new Set(said.map((text) => `re ${text}`)));
    await linked.close();
  },
  90_000,
);
