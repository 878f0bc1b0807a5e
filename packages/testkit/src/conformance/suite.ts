// The conformance suite: every rule of the connector contract, the same for all channels, on real PostgreSQL and NATS.
import { describe, test } from "vitest";
import { Ground } from "./ground.ts";
import type { ConnectorHarness } from "./harness.ts";
import type { Bench, Rule } from "./rule.ts";
import { inboundRules } from "./rules/inbound.ts";
import { lifeRules } from "./rules/life.ts";
import { planRules } from "./rules/plans.ts";

/** Every rule, in the order of a connection's life. */
export const conformanceRules: readonly Rule[] = [...planRules, ...inboundRules, ...lifeRules];

/** Registers one test for each rule. Called once, at the top of a channel's `contract.test.ts`. */
export function testConnector(harness: ConnectorHarness): void {
  describe(`the connector contract, for ${harness.channel}`, () => {
    for (const rule of conformanceRules)
      // oxlint-disable-next-line vitest/expect-expect -- a rule that does not hold throws
      test.skipIf(rule.appliesTo?.(harness) === false)(`${rule.name}`, () => judge(rule, harness));
  });
}

/** The names of the rules that a connector breaks, each with what is said of it. */
export async function brokenRules(harness: ConnectorHarness): Promise<Map<string, string>> {
  const broken = new Map<string, string>();
  await Promise.all(
    conformanceRules
      .filter((rule) => rule.appliesTo?.(harness) !== false)
      .map(async (rule) => {
        await judge(rule, harness).catch((error: unknown) =>
          broken.set(rule.name, error instanceof Error ? error.message : String(error)),
        );
      }),
  );
  return broken;
}

async function judge(rule: Rule, harness: ConnectorHarness): Promise<void> {
  try {
    await (rule.on === "house" ? onGround(rule.check, harness) : onBench(rule.check, harness));
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Broken: ${rule.name}. ${fault} The contract: packages/connector-kit/src, ${rule.where}.`,
      { cause: error },
    );
  }
}

async function onGround(
  check: (ground: Ground) => Promise<void>,
  harness: ConnectorHarness,
): Promise<void> {
  const ground = await Ground.open(harness);
  try {
    await check(ground);
  } finally {
    await ground.close();
  }
}

async function onBench(
  check: (bench: Bench) => Promise<void>,
  harness: ConnectorHarness,
): Promise<void> {
  const provider = await harness.openProvider();
  try {
    await check({ harness, provider });
  } finally {
    await provider.close();
  }
}
