// The conformance suite: every rule of the connector contract, the same for all channels, on real PostgreSQL and NATS.
import { afterAll, describe, test } from "vitest";
import { Ground } from "./ground.ts";
import type { ConnectorHarness } from "./harness.ts";
import type { Rule } from "./rule.ts";
import { inboundRules } from "./rules/inbound.ts";
import { lifeRules } from "./rules/life.ts";
import { pairingRules } from "./rules/pairing.ts";
import { planRules } from "./rules/plans.ts";

/** Every rule, in the order of a connection's life. */
export const conformanceRules: readonly Rule[] = [
  ...planRules,
  ...pairingRules,
  ...inboundRules,
  ...lifeRules,
];

/** Registers one test for each rule. Called once, at the top of a channel's `contract.test.ts`. */
export function testConnector(harness: ConnectorHarness): void {
  describe(`the connector contract, for ${harness.channel}`, () => {
    const grounds = new Grounds(harness);
    afterAll(() => grounds.close());
    for (const rule of conformanceRules)
      // oxlint-disable-next-line vitest/expect-expect -- a rule that does not hold throws
      test.skipIf(rule.appliesTo?.(harness) === false)(`${rule.name}`, () => judge(rule, grounds));
  });
}

/** Databases for one connector after the other: one where the provider reaches us, one where it does not. */
export interface SharedDatabases {
  readonly posted: string;
  readonly unreached: string;
}

/** The names of the rules that a connector breaks, each with what is said of it. Without databases only those are judged that need no house. */
export async function brokenRules(
  harness: ConnectorHarness,
  databases: SharedDatabases | null,
): Promise<Map<string, string>> {
  const broken = new Map<string, string>();
  const grounds = new Grounds(harness, databases);
  try {
    for (const rule of conformanceRules)
      if (rule.appliesTo?.(harness) !== false && (rule.on === "bench" || databases !== null))
        await judge(rule, grounds).catch((error: unknown) =>
          broken.set(rule.name, error instanceof Error ? error.message : String(error)),
        );
  } finally {
    await grounds.close();
  }
  return broken;
}

/** What a connector's rules share, each ground opened with the first rule that stands on it. Rules stand there one after the other. */
class Grounds {
  readonly harness: ConnectorHarness;
  readonly #databases: SharedDatabases | null;
  readonly #open = new Map<boolean, Promise<Ground>>();

  constructor(harness: ConnectorHarness, databases: SharedDatabases | null = null) {
    this.harness = harness;
    this.#databases = databases;
  }

  at(on: "house" | "posted house"): Promise<Ground> {
    const { harness } = this;
    const posted =
      !harness.worksUnreached || (on === "posted house" && harness.connector.webhook !== undefined);
    const ground =
      this.#open.get(posted) ??
      Ground.open({
        harness,
        posted,
        databaseUrl: this.#databases?.[posted ? "posted" : "unreached"],
      });
    this.#open.set(posted, ground);
    return ground;
  }

  async close(): Promise<void> {
    for (const ground of this.#open.values()) await (await ground).close();
  }
}

async function judge(rule: Rule, grounds: Grounds): Promise<void> {
  try {
    await (rule.on === "bench"
      ? onBench(rule, grounds.harness)
      : rule.check(await grounds.at(rule.on)));
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Broken: ${rule.name}. ${fault} The contract: packages/connector-kit/src, ${rule.where}.`,
      { cause: error },
    );
  }
}

async function onBench(
  { check }: Extract<Rule, { on: "bench" }>,
  harness: ConnectorHarness,
): Promise<void> {
  const provider = await harness.openProvider();
  try {
    await check({ harness, provider });
  } finally {
    await provider.close();
  }
}
