// The public door of standalone: exports only.
export type { StandaloneConfig } from "./config.ts";
export { readConfig } from "./config.ts";
export { start } from "./start.ts";
export type { Standalone } from "./start.ts";
