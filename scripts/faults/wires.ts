// The wires of single processes: a fault proxy before each server, so that one process can be cut off and nothing in it knows of tests.
import { startFaultProxy } from "@thikaa/testkit";
import type { Fault, FaultProxy } from "@thikaa/testkit";
import type { NewProcess } from "../services/config.ts";
import type { Keeper } from "@thikaa/embedded";

const settings = {
  postgres: "DATABASE_URL",
  nats: "NATS_URL",
  provider: "TELEGRAM_API_URL",
} as const;
export type Wire = keyof typeof settings;

type ProcessWires = Readonly<Record<Wire, FaultProxy>>;

export class Wires {
  readonly #laid = new Map<string, ProcessWires>();

  /** Lays the wires of a process that is about to be made, and gives the environment that leads over them. */
  async lay({ name, environment }: NewProcess): Promise<Record<string, string>> {
    const before = (wire: Wire) => startFaultProxy({ target: environment[settings[wire]] ?? "" });
    const [postgres, nats, provider] = await Promise.all([
      before("postgres"),
      before("nats"),
      before("provider"),
    ]);
    this.#laid.set(name, { postgres, nats, provider });
    return {
      ...environment,
      [settings.postgres]: postgres.url,
      [settings.nats]: nats.url,
      // A URL always has a path, and an API root has none.
      [settings.provider]: provider.url.replace(/\/$/, ""),
    };
  }

  /** Makes one wire of a process misbehave. */
  async set(process: Keeper, wire: Wire, fault: Fault): Promise<void> {
    await this.#of(process)[wire].set(fault);
  }

  /** After a kill: what a wire still held never arrives. */
  async clear(process: Keeper): Promise<void> {
    const wires = Object.values(this.#of(process));
    await Promise.all(wires.map((wire) => wire.set({ kind: "reset" })));
    await Promise.all(wires.map((wire) => wire.set({ kind: "pass" })));
  }

  async close(): Promise<void> {
    const all = [...this.#laid.values()].flatMap((wires) => Object.values(wires));
    await Promise.all(all.map((wire) => wire.close()));
  }

  #of({ name }: Keeper): ProcessWires {
    const wires = this.#laid.get(name);
    if (wires === undefined) throw new Error(`${name} has no wires of its own.`);
    return wires;
  }
}
