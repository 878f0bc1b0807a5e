// Starts the simulator as its own process.
import { runMain } from "@thikaa/runtime";
import { readConfig } from "./config.ts";
import { serve } from "./serve.ts";

await runMain({ readConfig, start: serve });
