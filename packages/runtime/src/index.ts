// The public door of the runtime: exports only.
export * from "./assignments.ts";
export * from "./foundation.ts";
export * from "./http.ts";
export * from "./log.ts";
export * from "./loop.ts";
export * from "./main.ts";
export * from "./metrics.ts";
export { processMetrics } from "./own-metrics.ts";
export { startPatiently, type PatientStart } from "./patient-start.ts";
export * from "./read-body.ts";
export * from "./service.ts";
export * from "./settings.ts";
export * from "./tracing.ts";
export * from "./trouble.ts";
export * from "./worker.ts";
