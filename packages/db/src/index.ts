// The public door of the db package: exports only.
export * from "./database.ts";
export * from "./migrate.ts";
export type * from "./tables.ts";
