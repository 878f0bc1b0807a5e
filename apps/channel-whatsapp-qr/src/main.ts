// Starts the WhatsApp channel as a process of its own.
import { runMain } from "@thikaa/runtime";
import { readConfig } from "./config.ts";
import { start } from "./start.ts";

await runMain({ readConfig, start });
