import { err, ok, type Result } from "../contracts/result.ts";

/**
 * Is this IP address in that range? IPv4 and IPv6 as text (RFC 4632, RFC 4291), CIDR or single. Everything is compared
 * as IPv6: an IPv4 address is its mapped form (`::ffff:192.0.2.1`), so that no spelling of one gets past a rule. Strict: no octal,
 * no short forms, no zone; what can't be read is in no range.
 */
export interface AddressRange {
  /** Eight groups of 16 bits, those behind the prefix 0. */
  readonly groups: readonly number[];
  /** From 0 to 128. */
  readonly prefixBits: number;
}

const decimal = /^(?:0|[1-9]\d{0,2})$/;

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. An error says what is wrong, as the end of a sentence. */
export function parseAddressRange(text: string): Result<AddressRange, string> {
  const [address = "", prefix, more] = text.split("/", 3);
  const groups = parseAddress(address);
  if (groups === null || more !== undefined) return err("is neither an IP address nor a CIDR range");
  const isFour = !address.includes(":");
  const maxBits = isFour ? 32 : 128;
  if (prefix !== undefined && (!decimal.test(prefix) || Number(prefix) > maxBits))
    return err(`has a prefix that is not a number from 0 to ${maxBits}`);
  const prefixBits = (prefix === undefined ? maxBits : Number(prefix)) + (isFour ? 96 : 0);
  const range: AddressRange = { groups, prefixBits };
  return groups.every((group, at) => (group & ~mask(at, prefixBits)) === 0)
    ? ok(range)
    : err("has bits set behind its prefix");
}

/** `address`: as `parseAddress` gives it. */
export function inRange(range: AddressRange, address: readonly number[]): boolean {
  return range.groups.every((group, at) => ((address[at] ?? 0) & mask(at, range.prefixBits)) === group);
}

/** The eight groups of an address; `null`: it is none. */
export function parseAddress(text: string): readonly number[] | null {
  if (text.length > 45) return null;
  if (!text.includes(":")) {
    const four = parseFour(text);
    return four === null ? null : [0, 0, 0, 0, 0, 0xffff, ...four];
  }
  const halves = text.split("::", 3);
  if (halves.length > 2) return null;
  const [head = "", tail] = halves;
  const before = parseGroups(head, tail === undefined);
  const after = tail === undefined ? [] : parseGroups(tail, true);
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  // "::" stands for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

/** `isLast`: the text ends the address, and may so end with an IPv4 address. */
function parseGroups(text: string, isLast: boolean): readonly number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (isLast && at === parts.length - 1 && part.includes(".")) {
      const four = parseFour(part);
      if (four === null) return null;
      groups.push(...four);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function parseFour(text: string): readonly [number, number] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => decimal.test(part) && Number(part) <= 255)) return null;
  const [a, b, c, d] = parts.map(Number) as [number, number, number, number];
  return [(a << 8) | b, (c << 8) | d];
}

function mask(group: number, prefixBits: number): number {
  const bits = Math.min(16, Math.max(0, prefixBits - group * 16));
  return (0xffff << (16 - bits)) & 0xffff;
}
