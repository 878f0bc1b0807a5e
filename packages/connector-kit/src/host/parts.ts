// The parts of a running host, handed to everything that works for it.
import type { Bus } from "@thikaa/bus";
import type { Database } from "@thikaa/db";
import type { Downloader } from "@thikaa/egress";
import type { Log, Metrics, Worker } from "@thikaa/runtime";
import type { Vault } from "@thikaa/vault";
import type { Connector } from "../connector.ts";
import type { HostConfig } from "./host-config.ts";
import type { Claimer } from "./claimer.ts";
import type { Measures } from "./measures.ts";
import type { MediaFetcher } from "./media-fetcher.ts";
import type { Receiver } from "./receiver.ts";
import type { Settler } from "./settler.ts";

export interface HostParts {
  readonly connector: Connector;
  readonly config: HostConfig;
  readonly database: Database;
  readonly bus: Bus;
  readonly vault: Vault;
  readonly worker: Worker;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly measures: Measures;
  readonly claimer: Claimer;
  readonly settler: Settler;
  readonly mediaFetcher: MediaFetcher;
  readonly downloader: Downloader;
  readonly receiver: Receiver;
}
