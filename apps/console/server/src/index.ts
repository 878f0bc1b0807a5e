// The public door of the console's server: exports only.
export { readConfig } from "./config.ts";
export type { ConsoleConfig } from "./config.ts";
export { start } from "./start.ts";
