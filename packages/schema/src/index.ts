// The public door of the schema package: exports only.
export * from "./api.ts";
export * from "./capabilities.ts";
export * from "./channels.ts";
export * from "./connection.ts";
export * from "./content.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./ids.ts";
export * from "./media-reasons.ts";
export * from "./message-status.ts";
export * from "./money.ts";
export * from "./names.ts";
export * from "./pairing-reasons.ts";
export * from "./recipient.ts";
export * from "./rings.ts";
export * from "./text.ts";
export * from "./timeline.ts";
