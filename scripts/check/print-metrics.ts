// Prints docs/reference/metrics.md: every metric of every app, as the code registers it.
import { webhookMetrics } from "../../apps/webhooks/src/metrics.ts";
import { gatewayMetrics } from "../../apps/gateway/src/metrics.ts";
import { backlogMetrics, inboundMetrics, sequencerMetrics } from "../../apps/inbox/src/metrics.ts";
import { Measures } from "../../packages/connector-kit/src/host/measures.ts";
import { Metrics } from "../../packages/runtime/src/metrics.ts";
import { processMetrics } from "../../packages/runtime/src/own-metrics.ts";

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const apps: readonly (readonly [title: string, register: (metrics: Metrics) => unknown])[] = [
  ["Every app", processMetrics],
  ["gateway", gatewayMetrics],
  ["Channel apps", (metrics) => new Measures(metrics)],
  [
    "inbox",
    (metrics) => [inboundMetrics(metrics), sequencerMetrics(metrics), backlogMetrics(metrics)],
  ],
  ["webhooks", webhookMetrics],
];

function sectionOf(title: string, register: (metrics: Metrics) => unknown): string {
  const metrics = new Metrics("print");
  register(metrics);
  const rows = (metrics.registry.getMetricsAsArray() as unknown[])
    .map((metric) => metric as Described)
    .filter(({ name }) => name.startsWith("thikaa_"))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(
      ({ name, help, type, labelNames }) =>
        `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    );
  return [
    `## ${title}`,
    "",
    "| metric | type | labels | what it says |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

const introduction = `# Metrics

<!-- Made by npm run check -- --only generated --write; do not edit. -->

Every app tells its metrics in the Prometheus text form at \`/metrics\` of \`METRICS_PORT\` (9464), apart from its public port. Each bears the label \`app\`. None has a label by store, connection or person. Node's own metrics are told too: \`nodejs_eventloop_lag_p99_seconds\`, \`process_resident_memory_bytes\` and others.

Which one answers what: [Operate it](../guides/operate.md).`;

const sections = apps.map(([title, register]) => sectionOf(title, register));
process.stdout.write(`${[introduction, ...sections].join("\n\n")}\n`);
