// Whether PostgreSQL has room for every pool when every scaler is at its most, and whether metrics stay inside.
import { describe, expect, test } from "vitest";
import { canRender, podsOf, readHouse, render, selects, variants } from "./render.ts";
import type { House } from "./render.ts";
import { readers, settingsOf } from "./settings.ts";
import { scalersOf } from "./wiring.ts";

/** Kept by PostgreSQL for superusers, and what the operator, its replicas, backups and the scaler open. */
const notForApps = 3 + 20;

/** The most connections that an app's pods open together while a release rolls: one pod more than its scaler allows. */
function mostOf(house: House, app: string, poolSize: number): number {
  const scaled = scalersOf(house).find(({ target }) => target.name === app)?.most;
  const workload = house.workloads.find(({ metadata }) => metadata.name === app);
  return ((scaled ?? workload?.spec.replicas ?? 1) + 1) * poolSize;
}

function poolsOf(house: House): Record<string, number> {
  return Object.fromEntries(
    settingsOf(house).flatMap(({ app, given }) => {
      const config = readers[app]?.(given) ?? {};
      return "poolSize" in config ? [[app, mostOf(house, app, Number(config.poolSize))]] : [];
    }),
  );
}

function roomOf(house: House): number {
  const [cluster] = house.clusters;
  const most = /"max_connections":"(\d+)"/.exec(JSON.stringify(cluster))?.[1];
  return Number(most) - notForApps;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

test.runIf(canRender)("every pool fits into max_connections, with every scaler at its most", () => {
  const house = readHouse(render("overlays/production"));
  const pools = poolsOf(house);
  const lasting = house.workloads.filter(
    ({ spec }) => "thikaa.io/app" in spec.template.metadata.labels,
  );
  expect(Object.keys(pools).toSorted()).toEqual(
    lasting.map(({ metadata }) => metadata.name).toSorted(),
  );
  expect(sum(Object.values(pools))).toBeLessThanOrEqual(roomOf(house));
  // The database by URL: the guide says how many it needs.
  expect(sum(Object.values(pools))).toBeLessThanOrEqual(390);
});

test.runIf(canRender)("pools that don't fit are seen", () => {
  const text = JSON.stringify(render("overlays/production"));
  const changed = text.replace('"maxReplicas":8', '"maxReplicas":20');
  expect(changed).not.toBe(text);
  const house = readHouse(JSON.parse(changed) as unknown[]);
  expect(sum(Object.values(poolsOf(house)))).toBeGreaterThan(roomOf(house));
});

describe.runIf(canRender).each(variants)("%s", (variant) => {
  const house = readHouse(render(variant));

  test("metrics have a port that monitoring alone may reach, and no Service leads there", () => {
    const doors = house.policies.filter(({ spec }) =>
      spec.ingress.some(({ ports }) => ports.some(({ port }) => port === "metrics")),
    );
    expect(doors.map(({ metadata }) => metadata.name)).toEqual(["from-monitoring"]);
    const ports = house.services.flatMap(({ spec }) => spec.ports.map((each) => each.targetPort));
    expect(ports).not.toContain("metrics");
    const apps = settingsOf(house).filter(({ given }) => "METRICS_PORT" in given);
    for (const { app, given } of apps) {
      const pod = podsOf(house).find(({ owner }) => owner === app);
      expect(pod?.ports).toContain(given["METRICS_PORT"]);
      expect(doors.some(({ spec }) => selects(spec.podSelector, pod?.labels ?? {}))).toBe(true);
    }
    expect(apps.length).toBeGreaterThanOrEqual(5);
  });
});
