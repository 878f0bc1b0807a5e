// The public door of the vault: exports only.
export * from "./keys.ts";
export * from "./places.ts";
export * from "./vault.ts";
