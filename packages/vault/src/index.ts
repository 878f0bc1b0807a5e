// The public door of the vault: exports only.
export * from "./keys.ts";
export { newMasterKey } from "./master-key.ts";
export * from "./media-links.ts";
export * from "./places.ts";
export * from "./vault.ts";
