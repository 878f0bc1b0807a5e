// Which addresses may be connected to: an allow rule, so that a kind of address nobody thought of is refused.
import ipaddr from "ipaddr.js";

export interface AddressRules {
  /** This machine itself: 127.0.0.0/8 and ::1. */
  readonly allowLoopback: boolean;
  /** Private ranges (RFC 1918, RFC 4193, carrier-grade NAT) and loopback. Never link-local, where clouds keep their metadata. */
  readonly allowPrivateNetwork: boolean;
}

const privateRanges = new Set(["private", "uniqueLocal", "carrierGradeNat", "loopback"]);
/** All public IPv6 lies here; tunnels and translations (NAT64, mapped, compatible) mostly outside. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Why an IP address may not be connected to, in plain words; `null` when it may. A zone (`%eth0`) is ignored. */
export function addressFault(address: string, rules: AddressRules): string | null {
  const range = rangeOf(address);
  if (range === "unicast") return null;
  if (range === "loopback" && rules.allowLoopback) return null;
  if (rules.allowPrivateNetwork && privateRanges.has(range)) return null;
  return `${address} is not a public address (${range})`;
}

function rangeOf(text: string): string {
  try {
    const parsed = ipaddr.parse(text.split("%")[0] ?? "");
    if (parsed instanceof ipaddr.IPv4) return parsed.range();
    if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().range();
    const range = parsed.range();
    return range === "unicast" && !parsed.match(globalUnicast) ? "reserved" : range;
  } catch {
    return "unreadable";
  }
}
