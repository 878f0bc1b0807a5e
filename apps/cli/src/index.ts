// The public door of the command line: exports only.
export { run } from "./run.ts";
