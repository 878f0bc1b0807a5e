// How an app's `main.ts` runs: settings, start, signals, and an end within a deadline.
import { scrub } from "./log.ts";
import type { Service } from "./service.ts";

export interface RunOptions<Config> {
  readonly readConfig: () => Config;
  /** The signal comes when the process is asked to stop: what still waits in a start gives up, see `openFoundation`. */
  readonly start: (config: Config & { readonly signal: AbortSignal }) => Promise<Service>;
  /** Milliseconds for everything to stop after a signal. */
  readonly stopWithinMs?: number;
}

/** Runs a service until SIGINT, SIGTERM or the death of the parent that holds a channel to it; prints what is wrong in plain words and exits 1 when it can't start. */
export async function runMain<Config>(options: RunOptions<Config>): Promise<void> {
  const stopRequested = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve());
    // Only where a parent holds a channel to us: it died, and nobody could stop us any more.
    process.on("disconnect", () => resolve());
  });
  const stopping = new AbortController();
  // Also for a signal that comes while it still starts.
  void stopRequested.then(() => {
    stopping.abort(new Error("The process was asked to stop while it started."));
    setTimeout(() => process.exit(1), options.stopWithinMs ?? 9_000).unref();
  });
  try {
    const service = await options.start({ ...options.readConfig(), signal: stopping.signal });
    await stopRequested;
    await service.stop();
    process.exit(0);
  } catch (error) {
    if (error === stopping.signal.reason) process.exit(0);
    process.stderr.write(`${scrub(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(1);
  }
}
