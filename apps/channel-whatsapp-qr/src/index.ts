// The public door of this app: exports only.
export { readConfig } from "./config.ts";
export { start } from "./start.ts";
export type { WhatsAppConfig } from "./start.ts";
