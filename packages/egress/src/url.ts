// Which URLs may be called, as far as that can be said without asking the network.
import { isIP } from "node:net";
import { addressFault } from "./address.ts";
import type { AddressRules } from "./address.ts";
import { EgressError } from "./errors.ts";

export interface UrlRules extends AddressRules {
  readonly allowHttp: boolean;
  /** Otherwise only 443, 80 and 8443: a webhook must not probe databases. */
  readonly allowAnyPort: boolean;
}

/**
 * The rules for URLs that users give: strict in production; outside it this machine, plain http and any port are fine.
 * `allowPrivateNetwork` is the operator's word for all of that and for private ranges, in production too.
 */
export function userUrlRules(setting: {
  production: boolean;
  allowPrivateNetwork: boolean;
}): UrlRules {
  const relaxed = setting.allowPrivateNetwork || !setting.production;
  return {
    allowPrivateNetwork: setting.allowPrivateNetwork,
    allowLoopback: relaxed,
    allowHttp: relaxed,
    allowAnyPort: relaxed,
  };
}

const usualPorts = new Set(["", "443", "80", "8443"]);
const longestUrl = 2_048;

/**
 * Parses a URL and checks all that can be known before a look-up: scheme, credentials, port, a literal address.
 * Throws an `EgressError` (`invalid_url` or `blocked_address`) with words for the person who wrote the URL.
 * A name that passes here may still point to a private address: each connection is checked again.
 */
export function checkUrl(text: string, rules: UrlRules): URL {
  const url = text.length <= longestUrl && URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw invalid("it is not a URL that can be read");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && rules.allowHttp))
    throw invalid("it must begin with https://");
  if (url.username !== "" || url.password !== "")
    throw invalid("it must not carry a user name or password");
  if (!rules.allowAnyPort && !usualPorts.has(url.port))
    throw invalid(`port ${url.port} is not allowed; use 443 or 8443`);
  const host = hostOf(url);
  const fault = isIP(host) === 0 ? null : addressFault(host, rules);
  if (fault !== null)
    throw new EgressError({
      code: "blocked_address",
      stage: "check",
      sent: false,
      message: `the address is not allowed: ${fault}`,
    });
  return url;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function invalid(why: string): EgressError {
  return new EgressError({
    code: "invalid_url",
    stage: "check",
    sent: false,
    message: `the URL can't be used: ${why}`,
  });
}
