// The public door of the vault: exports only.
export * from "./keys.ts";
export * from "./vault.ts";
