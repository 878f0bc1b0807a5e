// The WhatsApp connector: what this app offers to the host that runs it.
import type { Connector } from "@thikaa/connector-kit";
import { capabilities } from "./capabilities.ts";
import { connect } from "./connection.ts";
import { credentials } from "./credentials.ts";
import { convert } from "./inbound/convert.ts";
import { LinkedDevice } from "./linked-device.ts";
import { plan } from "./outbound/plan.ts";
import { createPairing } from "./pairing.ts";
import { ProcessLimits } from "./process-limits.ts";
import { timing as usual } from "./timing.ts";
import type { Timing } from "./timing.ts";
import { retire } from "./unlink.ts";

/** One for each process: its connections share the limits. */
export function createConnector(
  timing: Timing = usual,
  limits: ProcessLimits = new ProcessLimits(),
): Connector {
  return {
    channels: ["wd"],
    capabilities: { wd: capabilities },
    credentials,
    plan,
    connect: (context) => connect(context, { timing, limits }),
    pairing: createPairing(timing),
    upkeep: async (context) => (await LinkedDevice.load(context)).deleteOld(timing.quarantineMs),
    retire: (context, desired) => retire(context, { desired, timing }),
    convert,
  };
}
