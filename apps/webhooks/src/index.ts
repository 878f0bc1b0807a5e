// The public door of the webhooks app: exports only.
export { readConfig, type WebhooksConfig } from "./config.ts";
export { start } from "./start.ts";
