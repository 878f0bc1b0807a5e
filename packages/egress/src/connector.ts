// Connecting under guard: a literal address, every looked-up address and the address really reached are all checked.
import dns from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { addressFault } from "./address.ts";
import type { AddressRules } from "./address.ts";
import { EgressError } from "./errors.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Looks a name up: all its addresses, at least one, or a rejection with Node's DNS codes. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ConnectorConfig {
  readonly rules: AddressRules;
  readonly connectTimeoutMs: number;
  readonly resolve: Resolve;
}

/** The system's own look-up. */
export const systemResolve: Resolve = (hostname) => dns.promises.lookup(hostname, { all: true });

/** A connector for undici that refuses every address the rules do not allow, at each new connection. */
export function guardedConnector(config: ConnectorConfig): buildConnector.connector {
  const { rules, connectTimeoutMs } = config;
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 500,
    lookup: guardedLookup(config),
  });
  return (target, callback) => {
    // A literal address is connected to without a look-up, so it is checked here.
    const host = target.hostname.replace(/^\[|\]$/g, "");
    const literalFault = isIP(host) === 0 ? null : addressFault(host, rules);
    if (literalFault !== null) return callback(blocked(literalFault), null);
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null);
      const reached = socket.remoteAddress ?? "an unknown address";
      const fault = addressFault(reached, rules);
      if (fault === null) return callback(null, socket);
      socket.destroy();
      callback(blocked(fault), null);
    });
  };
}

function guardedLookup({ rules, resolve }: ConnectorConfig): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) return callback(notFound(hostname), "", 0);
        // One bad address among good ones is refused whole: nobody has that by accident.
        const fault = addresses
          .map(({ address }) => addressFault(address, rules))
          .find((found) => found !== null);
        if (fault !== undefined) return callback(blocked(`${hostname} points to ${fault}`), "", 0);
        if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : notFound(hostname), "", 0),
    );
  };
}

function blocked(fault: string): EgressError {
  return new EgressError({
    code: "blocked_address",
    stage: "connect",
    sent: false,
    message: `the address is not allowed: ${fault}`,
  });
}

function notFound(hostname: string): Error {
  return Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" });
}
