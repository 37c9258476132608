/**
 * May a request go to this host? An IP address, in whatever notation, only if it is public; a name, only if it is not one of a local
 * machine. A name may still resolve to anything, since a Worker can't pin a DNS answer to the connection that follows. So the main rule is
 * the allow-list of hosts (target.ts), and this check is behind it.
 */
import {
  inNetwork,
  parseIpAddress,
  parseIpNetwork,
  type IpAddress,
  type IpNetwork,
} from "../../firewall/ip-address.ts";
import { once } from "../../isolate/once.ts";

/** IANA's special-purpose registries for IPv4: whatever is not globally reachable, and relays to where it can't be seen. */
const special4 = once(() =>
  networks([
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
  ]),
);

const mapped = once(() => network("::ffff:0:0/96"));
/** All that is given out as globally reachable unicast. */
const global6 = once(() => network("2000::/3"));
/** Of it, protocols (Teredo and ORCHID among them), documentation, and 6to4, which leads on to any IPv4 address. */
const special6 = once(() => networks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]));
/** NAT64 (RFC 6052, RFC 8215): an IPv4 address inside, which is what counts. */
const nat64 = once(() => network("64:ff9b::/96"));
const localNat64 = once(() => network("64:ff9b:1::/48"));

export function isPublicAddress(address: IpAddress): boolean {
  const [, second, third, fourth] = address;
  if (inNetwork(address, mapped())) return isPublic4(address);
  if (inNetwork(address, nat64())) return isPublic4(version4(fourth));
  if (inNetwork(address, localNat64()))
    // Of a prefix of 48 bits: 16 bits, then 8 that are nothing, then the other 16.
    return isPublic4(version4((((second & 0xffff) << 16) | ((third >>> 8) & 0xffff)) >>> 0));
  return inNetwork(address, global6()) && !special6().some((one) => inNetwork(address, one));
}

function isPublic4(address: IpAddress): boolean {
  return !special4().some((one) => inNetwork(address, one));
}

/** Names that no public DNS answers for (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`), and those of the tunnel's kind. */
const nearbyNames =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|arpa|test|invalid|onion)$/;

/** @param hostname as `URL.hostname` gives it, which has made one of all spellings of an IPv4 address */
export function isPublicHost(hostname: string): boolean {
  const name = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
  const literal = name.startsWith("[") ? name.slice(1, -1) : name;
  const address = parseIpAddress(literal);
  if (address !== null) return isPublicAddress(address);
  // A name's last label is no number (WHATWG URL: it would be an address, and a wrong one).
  return !name.startsWith("[") && /\.[a-z][a-z0-9-]*$/.test(name) && !nearbyNames.test(name);
}

function version4(value: number): IpAddress {
  return [0, 0, 0xffff, value];
}

function networks(texts: readonly string[]): readonly IpNetwork[] {
  return texts.map(network);
}

function network(text: string): IpNetwork {
  const parsed = parseIpNetwork(text);
  if (parsed === null) throw new TypeError(`${text} is no network`);
  return parsed;
}
