// Rounds: several measures take turns, so that whatever else the machine does strikes all of them alike.
import { median, milliseconds, perSecond } from "./report.ts";

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds; `null` where no latency is told. */
  readonly p99: number | null;
  /** Processor time a message, in microseconds, by part of the house. */
  readonly cpu?: ReadonlyMap<string, number>;
}

export type Measure = () => Promise<Measured>;

/** Runs each measure once to warm it up, then all of them by turns; tells the middle of each one's rounds. */
export async function inTurns<Name extends string>(
  count: number,
  measures: Readonly<Record<Name, Measure>>,
): Promise<(name: Name) => Measured> {
  const results = new Map<string, Measured[]>();
  for (let round = 0; round <= count; round += 1) {
    for (const [name, measure] of Object.entries<Measure>(measures)) {
      const measured = await measure();
      say(round === 0 ? "warm-up" : `round ${round}`, name, measured);
      if (round > 0) results.set(name, [...(results.get(name) ?? []), measured]);
    }
  }
  return (name) => {
    const own = results.get(name) ?? [];
    return {
      perSecond: median(own.map((result) => result.perSecond)),
      p99: median(own.map((result) => result.p99 ?? 0)),
      cpu: middleOfEach(own.map((result) => result.cpu ?? new Map())),
    };
  };
}

function middleOfEach(rounds: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const parts = [...(rounds[0]?.keys() ?? [])];
  return new Map(parts.map((part) => [part, median(rounds.map((round) => round.get(part) ?? 0))]));
}

function say(round: string, name: string, { perSecond: rate, p99, cpu }: Measured): void {
  const latency = p99 === null ? "" : `p99 ${milliseconds(p99)}`;
  const costs = [...(cpu ?? [])].filter(([, time]) => time >= 1);
  const cost = costs.map(([part, time]) => `${part} ${Math.round(time)} µs`).join(", ");
  process.stdout.write(
    `${round.padEnd(8)} ${name.padEnd(20)} ${perSecond(rate).padStart(10)}  ${latency}  ${cost}\n`,
  );
}
