// The report: what was measured, as ratios to the floor of the same run.
import { cpus } from "node:os";

export interface Line {
  readonly what: string;
  readonly value: string;
  /** In the unit of `value`; `null` where nothing is compared. */
  readonly ratio: number | null;
  readonly floor: string;
  readonly target: string;
}

/** The middle one of several rounds. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`;
export const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
export const megabytes = (value: number): string => `${Math.round(value)} MB`;

/** The page that `docs/reference/performance.md` is. */
export function page(lines: readonly Line[], rounds: { count: number; seconds: number }): string {
  const rows = lines.map(
    ({ what, value, ratio, floor, target }) =>
      `| ${what} | ${value} | ${ratio === null ? "" : ratio.toFixed(2)} | ${floor} | ${target} |`,
  );
  return `# Performance

Written by \`npm run bench -- --write\`. Every figure is a ratio to a floor measured in the same run: the rounds of a figure and of its floor take turns, and the middle one of ${rounds.count} rounds of ${rounds.seconds} s is shown. The machine had ${cpus().length} cores, which the load, the floors, the apps, PostgreSQL and NATS shared; Node ${process.versions.node}; 64 requests in flight; \`synchronous_commit\` on.

| what | figure | ratio | to | target |
|---|---|---|---|---|
${rows.join("\n")}

## What is measured

- **Echo**: a bare \`node:http\` server that parses a JSON body and answers.
- **Accepted**: \`send\` through one gateway, with everything that \`send\` owes: key, exact rate limit, validation, idempotency, message, debit, ledger, queue and event in one durable commit before the 200. Who delivers is not running then: its work is in *delivered*.
- **Durable floor**: the echo with three commits in batches (accept, claim, outcome) of one narrow row, and one POST to the provider.
- **Delivered**: the same \`send\`, until the provider has the message: gateway, channel app, inbox and webhooks run. Counted at the provider, from the first request to the last message.
- **Bare proxy**: a server that hands each body on to the sink and answers after it.
- **Inbound**: a provider's webhook, stored, acknowledged, put into its conversation, numbered, signed, delivered to the store's webhook. Counted at the sink.
- **Hot store**: the same load on one store, against a hundred stores.
- **Memory**: proportional set size, idle, of \`npm start\`'s process (all apps, simulator, stand-ins), against a process that has loaded the same libraries and does nothing. PostgreSQL and NATS are processes of their own in both.
`;
}
