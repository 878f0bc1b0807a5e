// The simulator: the stand-ins with a phone in the browser.
export { start } from "./start.ts";
export type { SimulatorConfig, SimulatorService } from "./start.ts";
export { SHOP, ZAINAB } from "./people.ts";
export type { LoggedDelivery } from "./webhook-log.ts";
export type { SignatureVerdict, SignatureVerdicts } from "./signatures.ts";
