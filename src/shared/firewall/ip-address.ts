/**
 * Is this address in that network? IPv4, IPv6 and IPv4 written inside of IPv6 are one number here: `10.0.0.1`, `::ffff:10.0.0.1` and
 * `::ffff:a00:1` are the same address (RFC 4291, 2.5.5.2), so that no spelling evades a rule.
 */

/** 128 bits as four unsigned words, the highest first. */
export type IpAddress = readonly [number, number, number, number];

export interface IpNetwork {
  readonly address: IpAddress;
  /** 0 to 128. An IPv4 network's own length plus 96. */
  readonly prefixBits: number;
}

/** Of the longest spelling: six groups and an IPv4 address. */
const maxCharacters = 45;

/** Null for anything but an address in its textual form: no zone, no port, no brackets, no octal, no short IPv4. */
export function parseIpAddress(text: string): IpAddress | null {
  if (text.length > maxCharacters) return null;
  return text.includes(":") ? parseVersion6(text) : mapped(parseVersion4(text));
}

/** `192.0.2.0/24`, `2001:db8::/32`, `::ffff:192.0.2.0/120`, or one address. Bits after the prefix must be zero. */
export function parseIpNetwork(text: string): IpNetwork | null {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  if (slash < 0) return { address, prefixBits: 128 };
  const length = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return null;
  const isVersion4 = !text.includes(":");
  if (Number(length) > (isVersion4 ? 32 : 128)) return null;
  const prefixBits = Number(length) + (isVersion4 ? 96 : 0);
  const masked = firstBits(address, prefixBits);
  return masked.every((word, at) => word === address[at]) ? { address, prefixBits } : null;
}

export function inNetwork(address: IpAddress, { address: network, prefixBits }: IpNetwork): boolean {
  for (let at = 0; at < 4; at += 1) {
    const bits = prefixBits - at * 32;
    if (bits <= 0) return true;
    const mask = bits >= 32 ? 0xffffffff : ~(0xffffffff >>> bits);
    if ((((address[at] ?? 0) ^ (network[at] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

/**
 * What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits (RFC 6177: a host picks its own lower half, so
 * that counting single addresses counts nothing). The text itself where it is no address, as far as an address could go: who
 * is counted is remembered, and without Cloudflare in front a client writes it.
 */
export function subscriberOf(text: string): string {
  if (text.length > maxCharacters) return text.slice(0, maxCharacters);
  // The common case, without parsing: IPv4 as Cloudflare writes it.
  if (!text.includes(":")) return text;
  const address = parseVersion6(text);
  if (address === null) return text;
  const [first, second, third, fourth] = address;
  if (first === 0 && second === 0 && third === 0xffff)
    return `${fourth >>> 24}.${(fourth >>> 16) & 255}.${(fourth >>> 8) & 255}.${fourth & 255}`;
  return `${first.toString(16)}:${second.toString(16)}::/64`;
}

function firstBits(address: IpAddress, bits: number): IpAddress {
  const word = (at: 0 | 1 | 2 | 3): number => {
    const left = bits - at * 32;
    if (left <= 0) return 0;
    return left >= 32 ? address[at] : (address[at] & ~(0xffffffff >>> left)) >>> 0;
  };
  return [word(0), word(1), word(2), word(3)];
}

function mapped(version4: number | null): IpAddress | null {
  return version4 === null ? null : [0, 0, 0xffff, version4];
}

function parseVersion4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    // A leading zero is octal to some and decimal to others: neither here.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

function parseVersion6(text: string): IpAddress | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = "", tail] = halves;
  const front = groups(head, tail === undefined);
  const back = tail === undefined ? [] : groups(tail, true);
  if (front === null || back === null) return null;
  const missing = 8 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...front, ...Array.from({ length: missing }, () => 0), ...back];
  const word = (at: number): number => (all[at] ?? 0) * 65_536 + (all[at + 1] ?? 0);
  return [word(0), word(2), word(4), word(6)];
}

/** Groups of 16 bits; the last may be an IPv4 address, which is two. */
function groups(text: string, mayEndInVersion4: boolean): number[] | null {
  if (text === "") return [];
  const found: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (part.includes(".") && mayEndInVersion4 && at === parts.length - 1) {
      const version4 = parseVersion4(part);
      if (version4 === null) return null;
      found.push(version4 >>> 16, version4 & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) found.push(Number.parseInt(part, 16));
    else return null;
  }
  return found;
}
