// The WhatsApp connector: what this app offers to the host that runs it.
import type { Connector } from "@thikaa/connector-kit";
import { capabilities } from "./capabilities.ts";
import { connect } from "./connection.ts";
import { credentials } from "./credentials.ts";
import { convert } from "./inbound/convert.ts";
import { plan } from "./outbound/plan.ts";
import { createPairing } from "./pairing.ts";
import { timing as usual } from "./timing.ts";
import type { Timing } from "./timing.ts";

export function createConnector(timing: Timing = usual): Connector {
  return {
    channels: ["wd"],
    capabilities: { wd: capabilities },
    credentials,
    plan,
    connect: (context) => connect(context, timing),
    pairing: createPairing(timing),
    convert,
  };
}
