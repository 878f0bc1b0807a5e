// The order of the error table for commands: for every pair of rows, a request that breaks both gets the earlier one.
import { changeKinds } from "@thikaa/schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Breaker } from "./fixtures/breakers.ts";
import { impossiblePairs } from "./fixtures/breakers.ts";
import {
  commandBreakers,
  commandBroken,
  describeForCommands,
} from "./fixtures/command-breakers.ts";
import { openHouse } from "./fixtures/house.ts";
import type { House, TestGateway } from "./fixtures/house.ts";

let house: House;
let gateway: TestGateway;

beforeAll(async () => {
  house = await openHouse("gateway_command_order");
  gateway = await house.gateway();
  await describeForCommands(house);
});

afterAll(() => house.close());

const pairs = commandBreakers
  .flatMap((earlier, place) => commandBreakers.slice(place + 1).map((later) => [earlier, later]))
  .filter(
    ([earlier, later]) =>
      !impossiblePairs.some(({ pair }) => pair[0] === earlier?.name && pair[1] === later?.name),
  );

describe.each(changeKinds)("%s", (command) => {
  const answered = async (broken: readonly Breaker[]): Promise<[string, unknown]> => {
    const { body } = await commandBroken({ house, gateway }, command, broken);
    return [broken.map(({ name }) => name).join(" + "), body["error"]];
  };

  test("nothing broken is accepted, and each row alone is its own error", async () => {
    expect(await answered([])).toEqual(["", undefined]);
    for (const breaker of commandBreakers)
      expect(await answered([breaker])).toEqual([breaker.name, breaker.code]);
  });

  // All at once, since each of those with a key in flight waits for it.
  test("of two rows the earlier one is answered", async () => {
    const found: [string, unknown][] = [];
    for (const some of chunks(pairs, 16)) found.push(...(await Promise.all(some.map(answered))));
    const expected = pairs.map((pair) => [pair.map(({ name }) => name).join(" + "), pair[0]?.code]);
    expect(found).toEqual(expected);
  });
});

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) =>
    all.slice(n * size, (n + 1) * size),
  );
}
