// The public door of sending: exports only.
export type * from "./claim-types.ts";
