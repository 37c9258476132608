import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inRange, parseAddress, parseAddressRange } from "./address-range.ts";

function has(range: string, address: string): boolean {
  const parsed = parseAddressRange(range);
  if (!parsed.ok) throw new Error(parsed.error);
  const groups = parseAddress(address);
  return groups !== null && inRange(parsed.value, groups);
}

test.each([
  ["192.0.2.0/24", "192.0.2.255", true],
  ["192.0.2.0/24", "192.0.3.0", false],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "203.0.113.9", true],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::", false],
  ["2001:db8::8/125", "2001:db8::f", true],
  ["2001:db8::8/125", "2001:db8::10", false],
  ["192.0.2.0/24", "::ffff:192.0.2.9", true],
  ["192.0.2.0/24", "::FFFF:c000:209", true],
  ["::ffff:192.0.2.0/120", "192.0.2.9", true],
  ["::1", "0:0:0:0:0:0:0:1", true],
])("%s has %s: %s", (range, address, expected) => {
  expect(has(range, address)).toBe(expected);
});

test.each([
  "",
  "192.0.2",
  "192.0.2.256",
  "192.0.2.01",
  "0x7f.0.0.1",
  "2130706433",
  "1.2.3.4.5",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "::12345",
  "fe80::1%eth0",
  "::1.2.3",
  "1.2.3.4::",
  "g::",
  "[::1]",
  " 192.0.2.1",
])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeNull();
});

test.each([
  "192.0.2.0/33",
  "::/129",
  "192.0.2.0/",
  "192.0.2.0/-1",
  "192.0.2.0/24/8",
  "192.0.2.1/24",
  "::1/64",
])("%j is no range", (text) => {
  expect(parseAddressRange(text).ok).toBe(false);
});

test("every IPv4 address is in exactly the ranges that its bits say", () => {
  fc.assert(
    fc.property(
      fc.nat(0xffffffff),
      fc.nat(0xffffffff),
      fc.integer({ min: 0, max: 32 }),
      (base, address, bits) => {
        const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
        const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
        const network = (base & mask) >>> 0;
        expect(has(`${text(network)}/${bits}`, text(address))).toBe((address & mask) >>> 0 === network);
      },
    ),
  );
});
