// Settings of `npm run -s services`: flags for how many of each app, the environment for everything else.
import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";
import { flag, parseSettings, port } from "@thikaa/runtime";
import { z } from "zod";

/** How many processes of each app. */
export interface Counts {
  readonly gateways: number;
  /** Processes for bots of Telegram. */
  readonly channels: number;
  /** Processes for phones paired by QR; none when left out. */
  readonly whatsapp?: number;
  readonly inboxes: number;
  readonly webhooks: number;
}

export interface ServicesConfig {
  readonly counts: Counts;
  readonly dataDir: string;
  readonly host: string;
  /** Whether the simulator with its stand-ins runs too; never in production. */
  readonly sandbox: boolean;
  readonly databaseUrl: string | null;
  readonly natsUrl: string | null;
  /** Without one an S3 stand-in runs over the data folder. */
  readonly mediaStoreUrl?: string | null;
  readonly masterKey: string | null;
  readonly adminToken: string | null;
  /** What every app gets besides its own settings. */
  readonly environment: Readonly<Record<string, string>>;
  /** Has the last word on the environment of each process: tests put proxies into its wires. */
  readonly environmentOf?: (process: NewProcess) => Promise<Record<string, string>>;
}

/** A process that is about to be made, with the environment that its app gets. */
export interface NewProcess {
  readonly name: string;
  readonly environment: Record<string, string>;
}

const settings = z.object({
  THIKAA_ENV: z
    .enum(["production", "development"], { error: "must be 'production' or 'development'" })
    .default("development"),
  THIKAA_DATA_DIR: z.string().default(".data"),
  HOST: z.string().default("127.0.0.1"),
  DATABASE_URL: z.string().optional(),
  NATS_URL: z.string().optional(),
  MEDIA_STORE_URL: z.string().optional(),
  THIKAA_MASTER_KEY: z.string().optional(),
  THIKAA_ADMIN_TOKEN: z.string().optional(),
  THIKAA_SANDBOX: flag.optional(),
  LOG_LEVEL: z.string().default("warn"),
});

const production = settings
  .refine((given) => given.THIKAA_MASTER_KEY !== undefined, {
    path: ["THIKAA_MASTER_KEY"],
    message: "is not set; in production it is yours to keep",
  })
  .refine((given) => given.MEDIA_STORE_URL !== undefined, {
    path: ["MEDIA_STORE_URL"],
    message: "is not set; stand-ins are refused in production: give an s3: URL",
  })
  .refine((given) => given.THIKAA_ADMIN_TOKEN !== undefined, {
    path: ["THIKAA_ADMIN_TOKEN"],
    message: "is not set; make one with: openssl rand -base64 32",
  });

const flags = {
  gateways: { type: "string", default: "1" },
  channels: { type: "string", default: "1" },
  whatsapp: { type: "string", default: "1" },
  inboxes: { type: "string", default: "1" },
  webhooks: { type: "string", default: "1" },
  data: { type: "string" },
} as const;

/** Reads flags and environment; throws one error in plain words. Relative folders count from the working folder. */
export function readConfig(
  argv: readonly string[] = process.argv.slice(2),
  environment: NodeJS.ProcessEnv = process.env,
): ServicesConfig {
  const { values } = parseArgs({ args: [...argv], options: flags });
  const isProduction = environment["THIKAA_ENV"] === "production";
  const given = parseSettings(isProduction ? production : settings, environment);
  const dataDir = values.data ?? given.THIKAA_DATA_DIR;
  return {
    counts: {
      gateways: count("gateways", values.gateways),
      channels: count("channels", values.channels),
      whatsapp: count("whatsapp", values.whatsapp),
      inboxes: count("inboxes", values.inboxes),
      webhooks: count("webhooks", values.webhooks),
    },
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(dataDir),
    host: given.HOST,
    sandbox: !isProduction && (given.THIKAA_SANDBOX ?? true),
    databaseUrl: given.DATABASE_URL ?? null,
    natsUrl: given.NATS_URL ?? null,
    mediaStoreUrl: given.MEDIA_STORE_URL ?? null,
    masterKey: given.THIKAA_MASTER_KEY ?? null,
    adminToken: given.THIKAA_ADMIN_TOKEN ?? null,
    environment: { ...present(environment), LOG_LEVEL: given.LOG_LEVEL },
  };
}

const mediaStoreSettings = z.object({
  MEDIA_STORE_FOLDER: z.string(),
  MEDIA_STORE_PORT: port,
  MEDIA_STORE_SECRET: z.string(),
});

/** The settings of the media store's own process. */
export function readMediaStoreConfig(environment: NodeJS.ProcessEnv = process.env) {
  const given = parseSettings(mediaStoreSettings, environment);
  return {
    folder: given.MEDIA_STORE_FOLDER,
    port: given.MEDIA_STORE_PORT,
    accessKeyId: "services",
    secretAccessKey: given.MEDIA_STORE_SECRET,
  };
}

/** What a program needs of the environment to run at all, and to start fast, without any setting of ours: for tests. */
export function plainEnvironment(environment: NodeJS.ProcessEnv = process.env) {
  const { PATH, HOME, NODE_COMPILE_CACHE } = environment;
  return present({ PATH, HOME, NODE_COMPILE_CACHE });
}

function present(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

function count(flag: string, text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new Error(`--${flag} must be a number from 0 to 99.`);
  return Number(text);
}
