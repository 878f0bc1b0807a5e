// The Telegram connector: what this app offers to the host that runs it.
import type { Connector } from "@thikaa/connector-kit";
import { capabilities } from "./capabilities.ts";
import { connect, retire } from "./connection.ts";
import { credentials } from "./credentials.ts";
import { convert } from "./inbound/convert.ts";
import { plan } from "./outbound/plan.ts";
import { webhook } from "./webhook.ts";

export const connector: Connector = {
  channels: ["tg"],
  capabilities: { tg: capabilities },
  credentials,
  plan,
  connect,
  retire,
  webhook,
  convert,
};
