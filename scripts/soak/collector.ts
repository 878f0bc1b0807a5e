// Loaded into every app of a soak by `--import`: at SIGUSR2 it collects all garbage, gives free pages back, and writes down what is left.
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { memoryFile } from "./config.ts";

process.on("SIGUSR2", () => void collect());

async function collect(): Promise<void> {
  const session = new Session();
  session.connect();
  // As if memory were short: caches of code and pages kept for later go as well.
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
  const file = memoryFile(process.pid);
  writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.new`, file);
}
