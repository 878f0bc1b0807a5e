// The public door of this app: exports only.
export { readConfig } from "./config.ts";
export { officialUrl } from "./official-url.ts";
export { start } from "./start.ts";
export type { HostConfig } from "@thikaa/connector-kit/host";
