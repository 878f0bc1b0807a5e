// The suite judges rightly: green for an honest connector, and red for each broken one in just the rule that it breaks.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase } from "../database.ts";
import type { TestDatabase } from "../database.ts";
import { brokenConnectors } from "./fixtures/broken.ts";
import { brokenPairings } from "./fixtures/broken-pairing.ts";
import { paper } from "./fixtures/paper/connector.ts";
import { honestPairing, paperHarness } from "./fixtures/paper/harness.ts";
import { linkedPaper } from "./fixtures/paper/pairing.ts";
import { brokenRules, conformanceRules, testConnector } from "./suite.ts";

testConnector(paperHarness(paper, honestPairing));

describe("a broken connector is red in the rule that it breaks, and in no other", () => {
  const databases: TestDatabase[] = [];
  beforeAll(async () => {
    for (const name of ["posted", "unreached"]) databases.push(await createTestDatabase({ name }));
  });
  afterAll(async () => void (await Promise.all(databases.map((database) => database.close()))));

  test.each(brokenConnectors)("one that $fault", async ({ breaks, connector, isHonestInHouse }) => {
    const [posted = "", unreached = ""] = databases.map(({ url }) => url);
    const broken = await brokenRules(
      paperHarness(connector),
      isHonestInHouse === true ? null : { posted, unreached },
    );
    const [rule] = conformanceRules.filter(({ name }) => name.startsWith(breaks));
    expect([...broken.keys()], [...broken.values()].join("\n")).toEqual([rule?.name]);
    expect(broken.get(rule?.name ?? "")).toContain("The contract: packages/connector-kit/src");
  });

  test.each(brokenPairings)("one that $fault", async ({ breaks, pairing }) => {
    const broken = await brokenRules(paperHarness(paper, pairing), null);
    const [rule] = conformanceRules.filter(({ name }) => name.startsWith(breaks));
    expect([...broken.keys()], [...broken.values()].join("\n")).toEqual([rule?.name]);
    expect(broken.get(rule?.name ?? "")).toContain("The contract: packages/connector-kit/src");
  });

  test("one that pairs, and whose harness does not say how", async () => {
    const broken = await brokenRules(paperHarness(linkedPaper(30_000)), null);
    expect([...broken.values()].join("\n")).toContain("the harness no pairing");
  });

  test("each rule has a connector that breaks it", () => {
    const all = [...brokenConnectors, ...brokenPairings];
    const unbroken = conformanceRules.filter(
      ({ name }) => !all.some(({ breaks }) => name.startsWith(breaks)),
    );
    expect(unbroken.map(({ name }) => name)).toEqual([]);
  });
});
