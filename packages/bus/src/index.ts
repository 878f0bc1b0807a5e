// The public door of the bus: exports only.
export * from "./bus.ts";
