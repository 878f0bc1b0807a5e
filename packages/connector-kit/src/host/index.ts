// What runs a connector in a process: exports only.
export { defaultPoolSize, mediaStoreUrl } from "./host-config.ts";
export type { HostConfig } from "./host-config.ts";
export { Measures } from "./measures.ts";
export { startConnectorHost } from "./start.ts";
export type { HostOptions } from "./start.ts";
