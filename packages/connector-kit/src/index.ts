// The connector contract: exports only.
export type * from "./connected-account.ts";
export type * from "./connector.ts";
export type * from "./context.ts";
export type * from "./credentials.ts";
export * from "./faults.ts";
export * from "./media.ts";
export type * from "./pairing.ts";
export type * from "./raw-item.ts";
export * from "./split-text.ts";
