// Nothing that is sent or comes in is ever unreadable: bursts both ways, on a store that takes its time.
import { newId } from "@thikaa/schema";
import { expect, test } from "vitest";
import { Linked, shop, zainab } from "./fixtures/linked.ts";
import type { LinkedOptions } from "./fixtures/linked.ts";

/** The store takes up to so long for each call. */
function slow(mostMs: number): LinkedOptions["through"] {
  return (context) => ({
    state: {
      get: async (keys) => (await pause(mostMs), context.state.get(keys)),
      set: async (values) => (await pause(mostMs), context.state.set(values)),
    },
    received: async (items, state) => (await pause(mostMs), context.received(items, state)),
  });
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
  const linked = await Linked.open({ through: slow(5) });
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

test("thirty contacts write in bursts and are answered at their LIDs: nothing is undecryptable", async () => {
  const people = Array.from({ length: 30 }, (_, n) => String(9_647_701_000_000 + n));
  let answer: (to: string, text: string) => Promise<unknown> = () => Promise.resolve();
  const answers: Promise<unknown>[] = [];
  const linked = await Linked.open({
    people: people.map((number) => ({ number })),
    through: (context) => ({
      ...slow(3)?.(context),
      async received(items, state) {
        await context.received(items, state);
        for (const item of items) {
          const said = linked.connector.convert(item);
          if (said.kind === "message" && said.text !== null)
            answers.push(answer(said.from, `re ${said.text}`));
        }
      },
    }),
  });
  answer = async (to, text) => {
    expect(await linked.send(to, text, newId())).toMatchObject({ class: "sent" });
  };
  for (const person of people) linked.standIn.setPhone(person, { retries: false });
  const said = ["1.1", "1.2", "2.1", "2.2"];
  for (const burst of [said.slice(0, 2), said.slice(2)])
    await Promise.all(people.flatMap((person) => burst.map((text) => linked.says(person, text))));
  await linked.standIn.settled(shop, 25_000);
  await Promise.all(answers);
  await linked.standIn.settled(shop, 25_000);
  expect(linked.undecryptable).toBe(0);
  expect(linked.texts).toHaveLength(people.length * said.length);
  for (const person of people)
    expect(new Set(linked.shownBy(person))).toEqual(new Set(said.map((text) => `re ${text}`)));
  await linked.close();
});
