// A process that has loaded the libraries that standalone uses, and does nothing with them.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { serve } from "./server.ts";

const root = join(import.meta.dirname, "../..");
/** The libraries, by the part that depends on each. */
const libraries = {
  "apps/gateway": ["express", "zod", "zod-openapi"],
  "apps/channel-telegram": ["grammy"],
  "apps/channel-whatsapp-qr": ["@whiskeysockets/baileys"],
  "packages/bus": ["@nats-io/transport-node"],
  "packages/db": ["pg"],
  "packages/egress": ["undici", "ipaddr.js"],
  "packages/runtime": ["pino", "prom-client"],
} as const;

for (const [part, names] of Object.entries(libraries)) {
  const require = createRequire(join(root, part, "package.json"));
  for (const name of names) await import(pathToFileURL(require.resolve(name)).href);
}
serve(() => '{"ok":true}');
