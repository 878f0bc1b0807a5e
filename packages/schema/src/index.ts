// The public door of the schema package: exports only.
export {};
