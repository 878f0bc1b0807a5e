// The import law as data: the parts of the house, what each may import, and where a channel may be named. Changing a row here is changing the design.

/** What a part may import from the workspace, beside itself. `apps` stands for the door of every app. */
export interface Part {
  /** The folder under the root; a `*` at the end stands for the rest of one name. */
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** The only packages from the registry it may import; without this, whatever its manifest names. */
  readonly registry?: readonly string[];
  /** Whether Node's own modules are out of bounds. */
  readonly pure?: true;
}

const services = ["schema", "sending", "bus", "db", "vault", "egress", "blobs", "runtime"];
const channels = ["schema", "connector-kit", "connector-kit/host", "egress", "runtime"];

/** Every part by its name. A folder that no row describes is refused. */
export const parts: Readonly<Record<string, Part>> = {
  schema: {
    folder: "packages/schema",
    mayImport: [],
    registry: ["zod", "zod-openapi"],
    pure: true,
  },
  bus: { folder: "packages/bus", mayImport: ["schema"] },
  db: { folder: "packages/db", mayImport: ["schema"] },
  vault: { folder: "packages/vault", mayImport: ["schema"] },
  egress: { folder: "packages/egress", mayImport: ["schema"] },
  blobs: { folder: "packages/blobs", mayImport: ["schema"] },
  // Assignments are rows, and their changes are rung.
  runtime: { folder: "packages/runtime", mayImport: ["schema", "bus", "db"] },
  sending: { folder: "packages/sending", mayImport: ["schema", "bus", "db"] },
  "connector-kit": {
    folder: "packages/connector-kit",
    mayImport: ["schema"],
    registry: ["zod"],
  },
  "connector-kit/host": {
    folder: "packages/connector-kit/src/host",
    mayImport: [...services, "connector-kit"],
  },
  sdk: { folder: "packages/sdk", mayImport: ["schema"] },
  embedded: { folder: "packages/embedded", mayImport: ["schema"] },
  "stand-ins": { folder: "packages/stand-ins", mayImport: ["schema"] },
  // The conformance suite holds a connector by its contract, never by its host.
  testkit: {
    folder: "packages/testkit",
    mayImport: ["schema", "bus", "db", "embedded", "connector-kit"],
  },
  "channel-*": { folder: "apps/channel-*", mayImport: channels },
  gateway: { folder: "apps/gateway", mayImport: services },
  inbox: { folder: "apps/inbox", mayImport: services },
  webhooks: { folder: "apps/webhooks", mayImport: services },
  bots: { folder: "apps/bots", mayImport: services },
  notifier: { folder: "apps/notifier", mayImport: services },
  "console/server": { folder: "apps/console/server", mayImport: services },
  "console/web": { folder: "apps/console/web", mayImport: ["schema", "sdk"] },
  cli: { folder: "apps/cli", mayImport: ["schema", "sdk"] },
  simulator: { folder: "apps/simulator", mayImport: ["schema", "runtime", "stand-ins"] },
  // It migrates the database that it has just started (db) before it starts the apps, and makes the sandbox by the admin API (sdk).
  standalone: {
    folder: "apps/standalone",
    mayImport: ["apps", "schema", "runtime", "embedded", "stand-ins", "db", "sdk"],
  },
};

/** The doors a package may have besides its main one, by the package's folder. */
export const extraDoors: Readonly<Record<string, readonly string[]>> = {
  "packages/connector-kit": ["./host"],
};

/** What tests may import in addition to what their part may, and to what their manifest names for development. */
export const testHelpers = ["testkit", "stand-ins"];

/** Packages that everybody else reaches through one folder's files: another version of them changes nothing outside of it. */
export interface Adapter {
  readonly packages: readonly string[];
  /** Folders, ending in `/`. */
  readonly homes: readonly string[];
}

export const adapters: readonly Adapter[] = [
  {
    packages: ["@whiskeysockets/baileys", "baileys", "libsignal"],
    // The stand-in writes and reads the same wire with it, as WhatsApp's server.
    homes: ["apps/channel-whatsapp-qr/src/platform/", "packages/stand-ins/src/whatsapp-qr/"],
  },
];

/** A provider: its names and channel codes, and the folders that are its own. */
export interface Provider {
  readonly names: RegExp;
  readonly codes: readonly string[];
  readonly homes: readonly string[];
}

export const providers: readonly Provider[] = [
  {
    names: /telegram|grammy/i,
    codes: ["tg"],
    homes: ["apps/channel-telegram/", "packages/stand-ins/src/telegram/"],
  },
  {
    names: /whatsapp|baileys/i,
    codes: ["wd", "wa"],
    homes: [
      "apps/channel-whatsapp-qr/",
      "apps/channel-whatsapp-cloud/",
      "packages/stand-ins/src/whatsapp-qr/",
      "packages/stand-ins/src/whatsapp-cloud/",
    ],
  },
  {
    names: /messenger|instagram/i,
    codes: ["fb", "ig"],
    homes: ["apps/channel-meta/", "packages/stand-ins/src/meta/"],
  },
  {
    names: /tiktok/i,
    codes: ["tt"],
    homes: ["apps/channel-tiktok/", "packages/stand-ins/src/tiktok/"],
  },
];

/** A file, or a folder ending in `/`, to which one rule does not apply, and why. */
export interface Exception {
  readonly path: string;
  readonly reason: string;
}

/** What may name any channel; one that no longer needs to is reported. */
export const namingExceptions: readonly Exception[] = [
  { path: "packages/schema/src/channels.ts", reason: "the one list of channels" },
  { path: "packages/stand-ins/src/index.ts", reason: "the door through which stand-ins leave" },
  { path: "apps/standalone/src/", reason: "starts every channel app and wires its stand-in" },
  { path: "apps/simulator/", reason: "shows a stand-in's phone, so it looks like that provider's" },
];

/** A relative import that leaves its package. */
export const leavingImports: readonly Exception[] = [
  {
    path: "packages/testkit/src/global-setup.ts",
    reason: "vitest loads it without the condition that resolves packages to their sources",
  },
];

/** An import whose path is computed, which the law can't follow. */
export const computedImports: readonly Exception[] = [
  {
    path: "packages/embedded/src/postgres-binaries.ts",
    reason: "the package of binaries is named after the platform",
  },
];
