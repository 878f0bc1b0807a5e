// A rule of the contract: its name, where it is written, and how it is judged.
import type { ConnectorHarness, ProviderHarness } from "./harness.ts";
import type { Ground } from "./ground.ts";

/** Throws `BrokenRule` (or what a deadline throws) when it does not hold. */
type Check<On> = (on: On) => Promise<void>;

/** A connector at its stand-in, without a house around it: what pure rules and single calls are judged on. */
export interface Bench {
  readonly harness: ConnectorHarness;
  readonly provider: ProviderHarness;
}

export type Rule = {
  /** What holds, in one sentence. */
  readonly name: string;
  /** Where the contract says so: a file of `packages/connector-kit/src`, and the member. */
  readonly where: string;
  /** Whether the rule has anything to judge here; all connectors otherwise. */
  readonly appliesTo?: (harness: ConnectorHarness) => boolean;
} & (
  | { readonly on: "bench"; readonly check: Check<Bench> }
  | {
      /** `posted house`: where the provider reaches us, if the channel has a webhook. */
      readonly on: "house" | "posted house";
      readonly check: Check<Ground>;
    }
);

/** What a connector's author must mend. */
export class BrokenRule extends Error {
  constructor(fault: string) {
    super(fault);
    this.name = "BrokenRule";
  }
}

/** Throws `BrokenRule` with these words unless it is so. */
export function demand(met: boolean, fault: string): asserts met {
  if (!met) throw new BrokenRule(fault);
}

/** Like `demand`, for equal values: the words are followed by what was expected and what came. */
export function demandEqual(found: unknown, expected: unknown, fault: string): void {
  const [came, wanted] = [JSON.stringify(found), JSON.stringify(expected)];
  demand(came === wanted, `${fault} Expected ${wanted}, but it was ${came}.`);
}
