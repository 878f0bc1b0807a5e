// The order of the error table: for every pair of rows, a request that breaks both gets the earlier one.
import { afterAll, beforeAll, expect, test } from "vitest";
import { breakers, describeChannels, impossiblePairs, sendBroken } from "./fixtures/breakers.ts";
import type { Breaker } from "./fixtures/breakers.ts";
import { openHouse } from "./fixtures/house.ts";
import type { House, TestGateway } from "./fixtures/house.ts";

let house: House;
let gateway: TestGateway;

beforeAll(async () => {
  house = await openHouse("gateway_order");
  gateway = await house.gateway();
  await describeChannels(house);
});

afterAll(() => house.close());

const pairs = breakers
  .flatMap((earlier, place) => breakers.slice(place + 1).map((later) => [earlier, later] as const))
  .filter(([earlier, later]) => !isImpossible(earlier, later));

test("a request that breaks nothing is accepted", async () => {
  expect((await sendBroken(house, gateway, [])).status).toBe(200);
});

test.each(breakers)("$name alone is $code", async (breaker) => {
  expect((await sendBroken(house, gateway, [breaker])).body["error"]).toBe(breaker.code);
});

test.concurrent.each(pairs.filter(([earlier]) => earlier.during === undefined).map(toCase))(
  "$names is $earlier.code",
  async ({ earlier, later }) => {
    expect((await sendBroken(house, gateway, [earlier, later])).body["error"]).toBe(earlier.code);
  },
);

// All at once, since each of these waits for the key that is in flight.
test("a key in flight comes before every later row", async () => {
  const cases = pairs.filter(([earlier]) => earlier.during !== undefined).map(toCase);
  const found = await Promise.all(
    cases.map(async ({ earlier, later, names }) => [
      names,
      (await sendBroken(house, gateway, [earlier, later])).body["error"],
    ]),
  );
  expect(found).toEqual(cases.map(({ earlier, names }) => [names, earlier.code]));
});

test("every pair is tried or named as impossible", () => {
  expect(pairs.length + impossiblePairs.length).toBe((breakers.length * (breakers.length - 1)) / 2);
});

function isImpossible(earlier: Breaker, later: Breaker): boolean {
  return impossiblePairs.some(({ pair }) => pair[0] === earlier.name && pair[1] === later.name);
}

function toCase([earlier, later]: readonly [Breaker, Breaker]) {
  return { earlier, later, names: `${earlier.name} + ${later.name}` };
}
