// One app as a process of its own: its main file, its environment and nothing else, as a pod has it.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Keeper } from "@thikaa/embedded";
import type { Running } from "@thikaa/embedded";

/** What to start. */
export interface AppProcessConfig {
  /** As it is named in lines for people, like `gateway-2`. */
  readonly name: string;
  /** The folder of the app, below `apps`. */
  readonly app: string;
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  /** The path that answers 200 once the app is ready. */
  readonly readyPath: string;
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** Gets what the app writes. */
  readonly output: (text: string) => void;
}

const root = join(import.meta.dirname, "../..");
/** Apps stop by themselves within 9 s; what hangs longer would make the whole stop last longer than 10 s. */
const graceMs = 8_500;

export class AppProcess extends Keeper {
  readonly url: string;
  readonly metricsUrl: string;
  readonly #readyUrl: string;

  constructor(config: AppProcessConfig) {
    super({ name: config.name, say: config.say, launch: () => launch(config) });
    const reachable = config.host === "0.0.0.0" ? "127.0.0.1" : config.host;
    this.url = `http://${reachable}:${config.port}`;
    this.metricsUrl = `http://${reachable}:${config.metricsPort}/metrics`;
    this.#readyUrl = `${this.url}${config.readyPath}`;
  }

  /** Whether the app says of itself that it is ready. */
  async isReady(): Promise<boolean> {
    const answer = await fetch(this.#readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(
      () => null,
    );
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  /** Resolves when the app is ready; rejects, naming it, after `withinMs`. */
  async untilReady(withinMs: number): Promise<void> {
    const end = performance.now() + withinMs;
    while (!(await this.isReady())) {
      if (performance.now() > end) throw new Error(`${this.name} was not ready in ${withinMs} ms.`);
      await pause(50);
    }
  }
}

function launch(config: AppProcessConfig): Promise<Running> {
  const main = join(root, "apps", config.app, "src/main.ts");
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--conditions=source", main],
    {
      cwd: root,
      env: {
        ...config.environment,
        HOST: config.host,
        PORT: String(config.port),
        METRICS_PORT: String(config.metricsPort),
      },
      // The channel is never used: it closes when this process dies, and the app stops by that.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Ctrl-C reaches this process alone, which ends everything in order.
      detached: true,
    },
  );
  child.stdout?.on("data", (chunk: Buffer) => config.output(chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => config.output(chunk.toString()));
  return whenSpawned(child, config.name);
}

function whenSpawned(child: ChildProcess, name: string): Promise<Running> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${name}: ${error.message}`)));
    child.once("spawn", () => {
      const exited = new Promise<string>((end) =>
        child.once("exit", (code, signal) => end(`ended (${signal ?? `exit code ${code}`})`)),
      );
      resolve({ pid: child.pid ?? 0, exited, stop: () => stopChild(child, exited) });
    });
  });
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exited;
  clearTimeout(force);
}
