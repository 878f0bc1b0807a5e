// The public door of the db package: exports only.
export * from "./channel-descriptions.ts";
export * from "./connection-admin.ts";
export * from "./connections.ts";
export * from "./connector-state.ts";
export * from "./database.ts";
export * from "./deliveries.ts";
export * from "./endpoints.ts";
export * from "./event-cursors.ts";
export * from "./events.ts";
export * from "./inbound.ts";
export * from "./instances.ts";
export * from "./message-reports.ts";
export * from "./migrate.ts";
export * from "./stores.ts";
export * from "./keys.ts";
export * from "./connection-status.ts";
export * from "./message-views.ts";
