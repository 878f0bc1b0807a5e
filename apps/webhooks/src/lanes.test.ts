// Who gets slots: endpoints of one kind leave room for each other, and those that do badly have none of the others'.
import { newId } from "@thikaa/schema";
import { expect, test } from "vitest";
import { Lanes } from "./lanes.ts";
import type { Place } from "./lanes.ts";

const shard = 0;
const shards = new Map([[shard, { shard, epoch: 1 }]]);
const well = { sign: "well", reason: null, disable: null } as const;

interface Endpoint {
  readonly shard: number;
  readonly endpointId: string;
  readonly url: string;
}

const endpoints = (count: number, origin: (index: number) => string): Endpoint[] =>
  Array.from({ length: count }, (_, index) => ({
    shard,
    endpointId: newId(),
    url: `https://${origin(index)}/hook`,
  }));
const apart = (index: number) => `shop-${index}.example`;

function prove(lanes: Lanes, proven: readonly Endpoint[], successes: number): void {
  for (const endpoint of proven)
    for (let count = 0; count < successes; count++) lanes.leave(lanes.enter(endpoint), well);
}

/** Claims for all that may have something, each with as much waiting as it can take, and begins the attempts. */
function fill(lanes: Lanes, among: readonly Endpoint[], inMs = 0): Map<string, Place[]> {
  const begun = new Map<string, Place[]>();
  for (let round = 0; round < 100; round++) {
    for (const endpoint of among) lanes.due(endpoint);
    const picked = lanes.pick(shards, performance.now() + inMs);
    if (picked.length === 0) return begun;
    for (const lane of picked) {
      lanes.claimed(lane, 0);
      const endpoint = among.find(({ endpointId }) => endpointId === lane.endpointId);
      // It was due from before, and is not what is asked about.
      if (endpoint === undefined) continue;
      const places = Array.from({ length: lane.room }, () => lanes.enter(endpoint));
      begun.set(lane.endpointId, [...(begun.get(lane.endpointId) ?? []), ...places]);
    }
  }
  throw new Error("It never ends.");
}

function end(lanes: Lanes, begun: Map<string, Place[]>): void {
  for (const place of [...begun.values()].flat()) lanes.leave(place, well);
}

test("one endpoint alone may have many at once; sixty that take all they can leave a slot for the next", () => {
  const lanes = new Lanes();
  const [first, ...others] = endpoints(61, apart);
  if (first === undefined) throw new Error("unreachable");
  prove(lanes, [first, ...others], 40);
  const alone = fill(lanes, [first]);
  expect(alone.get(first.endpointId)?.length).toBeGreaterThanOrEqual(20);
  end(lanes, alone);
  const crowd = fill(lanes, others);
  expect(crowd.size).toBe(60);
  const next = fill(lanes, [first]);
  expect(next.get(first.endpointId)?.length).toBeGreaterThanOrEqual(1);
  end(lanes, crowd);
  end(lanes, next);
  expect(lanes.underWay).toBe(0);
});

test("however many endpoints fail, they hold no more than their part, one at a time each", () => {
  const lanes = new Lanes();
  const failing = endpoints(500, apart);
  lanes.surveyed(
    failing.map((endpoint) => ({
      ...endpoint,
      waitMs: 0,
      standing: "open",
      health: "failing",
      healthAgeMs: 0,
    })),
    performance.now(),
  );
  const begun = fill(lanes, failing);
  expect([...begun.values()].every((places) => places.length === 1)).toBe(true);
  expect(begun.size).toBe(64);
  const [sound] = endpoints(1, () => "sound.example");
  if (sound === undefined) throw new Error("unreachable");
  prove(lanes, [sound], 10);
  const others = fill(lanes, [sound]);
  expect(others.get(sound.endpointId)).toHaveLength(11);
  end(lanes, begun);
  end(lanes, others);
});

test("an origin that can't be connected to is tried by one of its endpoints at a time; how one of them answers is not held against the others", () => {
  const lanes = new Lanes();
  const shared = endpoints(20, () => "shared.example");
  prove(lanes, shared, 1);
  const answers = { sign: "ill", reason: "The URL answered 500.", disable: null } as const;
  for (const endpoint of shared.slice(0, 5)) lanes.leave(lanes.enter(endpoint), answers);
  const before = fill(lanes, shared);
  expect(before.size).toBe(20);
  end(lanes, before);
  const unreached = { sign: "unreached", reason: "No connection.", disable: null } as const;
  for (const endpoint of shared.slice(0, 3)) lanes.leave(lanes.enter(endpoint), unreached);
  expect(fill(lanes, shared).size).toBe(0);
  const probe = fill(lanes, shared, 2_000);
  expect([...probe.values()].map((places) => places.length)).toEqual([1]);
  end(lanes, probe);
  const again = fill(lanes, shared, 2_000);
  expect(again.size).toBeGreaterThan(10);
  end(lanes, again);
  const [sound] = endpoints(1, () => "sound.example");
  if (sound === undefined) throw new Error("unreachable");
  const others = fill(lanes, [sound]);
  expect(others.size).toBe(1);
  end(lanes, others);
});

test("once an origin answers to one endpoint, the others that could not reach it are tried at once, not at the end of their own pause; one that answered badly waits on", () => {
  const lanes = new Lanes();
  const [first, ...others] = endpoints(6, () => "shared.example");
  const bad = others.at(-1);
  if (first === undefined || bad === undefined) throw new Error("unreachable");
  const answers = { sign: "ill", reason: "The URL answered 500.", disable: null } as const;
  const unreached = { sign: "unreached", reason: "No connection.", disable: null } as const;
  for (let count = 0; count < 3; count++) lanes.leave(lanes.enter(bad), answers);
  // Each fails alone for so long that its pauses have grown.
  for (const endpoint of [first, ...others.slice(0, -1)])
    for (let count = 0; count < 3; count++) lanes.leave(lanes.enter(endpoint), unreached);
  expect(fill(lanes, [first, ...others]).size).toBe(0);
  lanes.leave(lanes.enter(first), well);
  const again = fill(lanes, others);
  expect([...again.keys()].toSorted()).toEqual(
    others
      .slice(0, -1)
      .map(({ endpointId }) => endpointId)
      .toSorted(),
  );
  expect([...again.values()].every((places) => places.length === 1)).toBe(true);
});
