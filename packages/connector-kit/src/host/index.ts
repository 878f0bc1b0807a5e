// What runs a connector in a process: exports only.
export type { HostConfig } from "./host-config.ts";
export { startConnectorHost } from "./start.ts";
export type { HostOptions } from "./start.ts";
