// The public door of the inbox: exports only.
export type { InboxConfig } from "./config.ts";
export { readConfig } from "./config.ts";
export { start } from "./start.ts";
