// Metrics: one registry an app, in the Prometheus text form.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export { Counter, Gauge, Histogram };

const secondsBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** For what may rightly take long: a retry, an outage, a night. */
const ageBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export class Metrics {
  readonly registry = new Registry();
  readonly #readers: (() => void)[] = [];

  constructor(app: string) {
    this.registry.setDefaultLabels({ app });
    collectDefaultMetrics({ register: this.registry });
  }

  /** `name` comes after `thikaa_`. Asked for again, the same one is given; so for every kind below. */
  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#once(
      Counter,
      name,
      (full) =>
        new Counter({ name: full, help, labelNames: [...labels], registers: [this.registry] }),
    );
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#once(
      Gauge,
      name,
      (full) =>
        new Gauge({ name: full, help, labelNames: [...labels], registers: [this.registry] }),
    );
  }

  /** Seconds that work takes, in buckets from 1 ms to 60 s. */
  histogram(name: string, help: string, labels: readonly string[] = []): Histogram {
    return this.#histogram({ name, help, labels, buckets: secondsBuckets });
  }

  /** Seconds that something waited, in buckets from 50 ms to a day. */
  age(name: string, help: string, labels: readonly string[] = []): Histogram {
    return this.#histogram({ name, help, labels, buckets: ageBuckets });
  }

  /** How many at once, in buckets from 1 to 512. */
  size(name: string, help: string, labels: readonly string[] = []): Histogram {
    return this.#histogram({ name, help, labels, buckets: sizeBuckets });
  }

  /** `read` sets gauges from memory, each time before they are told. It must be quick, and ask nobody. */
  beforeScrape(read: () => void): void {
    this.#readers.push(read);
  }

  /** Brings the gauges that are read from memory up to date. */
  refresh(): void {
    for (const read of this.#readers) read();
  }

  #histogram(wanted: {
    name: string;
    help: string;
    labels: readonly string[];
    buckets: number[];
  }): Histogram {
    const { name, help, labels, buckets } = wanted;
    return this.#once(
      Histogram,
      name,
      (full) =>
        new Histogram({
          name: full,
          help,
          labelNames: [...labels],
          buckets,
          registers: [this.registry],
        }),
    );
  }

  #once<Kind extends Counter | Gauge | Histogram>(
    kind: new (...given: never[]) => Kind,
    name: string,
    make: (full: string) => Kind,
  ): Kind {
    const full = `thikaa_${name}`;
    const known = this.registry.getSingleMetric(full);
    if (known === undefined) return make(full);
    if (known instanceof kind) return known;
    throw new Error(`${full} is a metric of another kind already.`);
  }
}

/** Everything an app counts, and of the apps in the same process what is their own: each name is described once. */
export async function exposition(main: Metrics, others: readonly Metrics[] = []): Promise<string> {
  const blocks = new Map<string, string[]>();
  for (const metrics of [main, ...others]) {
    const { registry } = metrics;
    metrics.refresh();
    for (const { name } of registry.getMetricsAsArray()) {
      // What the process itself is doing is told once, however many apps are in it.
      if (registry !== main.registry && !name.startsWith("thikaa_")) continue;
      const lines = (await registry.getSingleMetricAsString(name)).trimEnd().split("\n");
      const known = blocks.get(name);
      if (known === undefined) blocks.set(name, lines);
      else known.push(...lines.filter((line) => !line.startsWith("#")));
    }
  }
  return `${[...blocks.values()].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
