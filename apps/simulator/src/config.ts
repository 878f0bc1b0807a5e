// The simulator's settings from the environment.
import { parseSettings, port } from "@thikaa/runtime";
import { z } from "zod";
import type { SimulatorConfig } from "./start.ts";

/** The settings of the simulator as its own process: also where its page is served. */
export interface SimulatorProcessConfig extends SimulatorConfig {
  page: { host: string; port: number };
}

const settings = z.object({
  THIKAA_ENV: z
    .enum(["production", "development"], { error: "must be 'production' or 'development'" })
    .default("development"),
  HOST: z.string().default("127.0.0.1"),
  PORT: port.default(3000),
  TELEGRAM_STAND_IN_HOST: z.string().default("127.0.0.1"),
  TELEGRAM_STAND_IN_PORT: port.default(8081),
  WHATSAPP_STAND_IN_HOST: z.string().default("127.0.0.1"),
  WHATSAPP_STAND_IN_PORT: port.default(8082),
  /** Where WhatsApp's stand-in keeps linked phones over a restart. */
  WHATSAPP_STAND_IN_STATE: z.string().optional(),
});

/** Reads the settings; throws with all faults listed. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): SimulatorProcessConfig {
  const given = parseSettings(settings, environment);
  return {
    environment: given.THIKAA_ENV,
    page: { host: given.HOST, port: given.PORT },
    telegram: { host: given.TELEGRAM_STAND_IN_HOST, port: given.TELEGRAM_STAND_IN_PORT },
    whatsapp: {
      host: given.WHATSAPP_STAND_IN_HOST,
      port: given.WHATSAPP_STAND_IN_PORT,
      stateFile: given.WHATSAPP_STAND_IN_STATE,
    },
  };
}
