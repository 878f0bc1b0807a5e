// The public door of the gateway: exports only.
export type { GatewayConfig } from "./config.ts";
export { readConfig } from "./config.ts";
export { buildOpenApi } from "./docs/openapi.ts";
export { start } from "./start.ts";
