// What every handler of the console works with.
import type { Bus } from "@thikaa/bus";
import type { Database } from "@thikaa/db";
import type { Log } from "@thikaa/runtime";
import type { Vault } from "@thikaa/vault";
import type { ConsoleConfig } from "./config.ts";

export interface House {
  readonly config: ConsoleConfig;
  readonly database: Database;
  readonly bus: Bus;
  readonly vault: Vault;
  readonly log: Log;
  /** Aborts when the service stops: open event streams and waits end. */
  readonly stopping: AbortSignal;
}
