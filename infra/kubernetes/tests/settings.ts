// Whether what an app is given is what its own config.ts asks for: nothing missing, nothing it does not know.
import { isDeepStrictEqual } from "node:util";
import { readConfig as readChannelTelegram } from "../../../apps/channel-telegram/src/config.ts";
import { readConfig as readChannelWhatsappQr } from "../../../apps/channel-whatsapp-qr/src/config.ts";
import { readConfig as readConsole } from "../../../apps/console/server/src/config.ts";
import { readConfig as readGateway } from "../../../apps/gateway/src/config.ts";
import { readConfig as readInbox } from "../../../apps/inbox/src/config.ts";
import { readConfig as readWebhooks } from "../../../apps/webhooks/src/config.ts";
import { readMigrateConfig } from "../../../packages/db/src/config.ts";
import type { House } from "./render.ts";

type Environment = Readonly<Record<string, string>>;
type Reader = (environment: NodeJS.ProcessEnv) => object;

/** Each app's own reader of settings, by its workload's name. */
export const readers: Readonly<Record<string, Reader>> = {
  gateway: readGateway,
  console: readConsole,
  "channel-telegram": readChannelTelegram,
  "channel-whatsapp-qr": readChannelWhatsappQr,
  inbox: readInbox,
  webhooks: readWebhooks,
  migrate: readMigrateConfig,
};

/** What a Secret would hold; only the shapes matter. */
export const sampleSecrets: Environment = {
  DATABASE_URL: "postgresql://thikaa:password@postgres:5432/thikaa",
  NATS_URL: "nats://nats_0123@nats:4222",
  THIKAA_MASTER_KEY: "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
  MEDIA_STORE_URL: "s3://key:secret@s3.example.com/media",
  THIKAA_ADMIN_TOKEN: "0123456789abcdef0123456789abcdef",
};

/** What is wrong with the settings of one app: refused ones, and ones that change nothing because it does not know them. */
export function settingFaults(app: string, given: Environment): string[] {
  const reader = readers[app];
  if (reader === undefined) return [`${app}: no config.ts is known for it`];
  try {
    reader(given);
  } catch (error) {
    return [`${app}: ${error instanceof Error ? error.message : String(error)}`];
  }
  return Object.keys(given)
    .filter((name) => !isKnown({ reader, given, name }))
    .map((name) => `${app} is given ${name}, which it does not know`);
}

/** A setting is known when another value of it is refused, or makes another config. */
function isKnown({
  reader,
  given,
  name,
}: {
  reader: Reader;
  given: Environment;
  name: string;
}): boolean {
  const asGiven = reader(given);
  return ["other", "65000", "https://other.example.com"].some((value) => {
    try {
      return !isDeepStrictEqual(reader({ ...given, [name]: value }), asGiven);
    } catch {
      return true;
    }
  });
}

/** The settings that each app of a rendered house is given, with samples for what Secrets hold. */
export function settingsOf(house: House): { app: string; given: Environment }[] {
  const apps = house.workloads.filter(({ spec }) =>
    spec.template.spec.containers.some(({ name }) => name === "app"),
  );
  return apps.map(({ metadata, spec }) => {
    const { env, envFrom } = spec.template.spec.containers[0] ?? { env: [], envFrom: [] };
    const shared = envFrom.flatMap(({ configMapRef }) =>
      house.configMaps
        .filter((map) => map.metadata.name === configMapRef.name)
        .flatMap(({ data }) => Object.entries(data)),
    );
    const own = env.map(({ name, value }) => [name, value ?? sampleSecrets[name] ?? ""] as const);
    return { app: metadata.name, given: Object.fromEntries([...shared, ...own]) };
  });
}
