// Metrics: one registry a process, in the Prometheus text form.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export { Counter, Gauge, Histogram };

export class Metrics {
  readonly registry = new Registry();

  constructor(app: string) {
    this.registry.setDefaultLabels({ app });
    collectDefaultMetrics({ register: this.registry });
  }

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return new Counter({
      name: `thikaa_${name}`,
      help,
      labelNames: [...labels],
      registers: [this.registry],
    });
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return new Gauge({
      name: `thikaa_${name}`,
      help,
      labelNames: [...labels],
      registers: [this.registry],
    });
  }

  /** Seconds, in buckets from 1 ms to 60 s. */
  histogram(name: string, help: string, labels: readonly string[] = []): Histogram {
    const buckets = [
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ];
    return new Histogram({
      name: `thikaa_${name}`,
      help,
      labelNames: [...labels],
      buckets,
      registers: [this.registry],
    });
  }

  /** Our own metrics alone, without those of the process, which is told once however many apps are in it. */
  async own(): Promise<string> {
    const names = this.registry.getMetricsAsArray().map(({ name }) => name);
    const own = names.filter((name) => name.startsWith("thikaa_"));
    return (await Promise.all(own.map((name) => this.registry.getSingleMetricAsString(name)))).join(
      "\n\n",
    );
  }
}
