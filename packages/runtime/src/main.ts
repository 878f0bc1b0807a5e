// How an app's `main.ts` runs: settings, start, signals, and an end within a deadline.
import { scrub } from "./log.ts";
import type { Service } from "./service.ts";

export interface RunOptions<Config> {
  readonly readConfig: () => Config;
  readonly start: (config: Config) => Promise<Service>;
  /** Milliseconds for everything to stop after a signal. */
  readonly stopWithinMs?: number;
}

/** Runs a service until SIGINT or SIGTERM; prints what is wrong in plain words and exits 1 when it can't start. */
export async function runMain<Config>(options: RunOptions<Config>): Promise<void> {
  const stopRequested = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
  try {
    const service = await options.start(options.readConfig());
    await stopRequested;
    const deadline = setTimeout(() => process.exit(1), options.stopWithinMs ?? 9_000);
    deadline.unref();
    await service.stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${scrub(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(1);
  }
}
