import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inNetwork, parseIpAddress, parseIpNetwork, subscriberOf } from "./ip-address.ts";

function contains(network: string, address: string): boolean {
  const parsed = { network: parseIpNetwork(network), address: parseIpAddress(address) };
  if (parsed.network === null || parsed.address === null)
    throw new Error(`${network} or ${address} is invalid`);
  return inNetwork(parsed.address, parsed.network);
}

describe("one address, however it is written", () => {
  test.each([
    ["10.0.0.1", "::ffff:10.0.0.1"],
    ["10.0.0.1", "::ffff:a00:1"],
    ["10.0.0.1", "0:0:0:0:0:FFFF:0a00:0001"],
    ["2001:db8::1", "2001:0db8:0:0:0:0:0:1"],
    ["::", "0:0:0:0:0:0:0:0"],
    ["1::", "1:0:0:0:0:0:0:0"],
  ])("%s is %s", (one, other) => {
    expect(parseIpAddress(one)).not.toBeNull();
    expect(parseIpAddress(one)).toEqual(parseIpAddress(other));
  });
});

test.each([
  "",
  "10.0.0",
  "10.0.0.256",
  "010.0.0.1",
  "10.0.0.1 ",
  "0x0a.0.0.1",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1::2::3",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8::",
  "fe80::1%eth0",
  "[::1]",
  "::ffff:10.0.0.1.2",
  "::10.0.0.1:1",
  "12345::",
  "g::1",
])("%j is no address", (text) => {
  expect(parseIpAddress(text)).toBeNull();
});

test.each([
  "10.0.0.1/24",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/08",
  "2001:db8::1/32",
  "::/129",
  "10.0.0.0/-1",
])("%s is no network: its length is wrong, or bits stand after it", (text) => {
  expect(parseIpNetwork(text)).toBeNull();
});

describe("a network holds", () => {
  test.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "10.0.0.1", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["2001:db8::/127", "2001:db8::1", true],
  ])("%s, %s: %s", (network, address, inside) => {
    expect(contains(network, address)).toBe(inside);
  });

  test("exactly the addresses that share its first bits", () => {
    const word = fc.nat({ max: 0xffff });
    const groups = fc.array(word, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, groups, fc.nat({ max: 128 }), (network, address, bits) => {
        const binary = (words: number[]) => words.map((one) => one.toString(2).padStart(16, "0")).join("");
        const masked = binary(network).slice(0, bits).padEnd(128, "0");
        const text = Array.from({ length: 8 }, (_, at) =>
          Number.parseInt(masked.slice(at * 16, at * 16 + 16), 2).toString(16),
        ).join(":");
        const mixed = binary(network).slice(0, bits) + binary(address).slice(bits);
        const near = Array.from({ length: 8 }, (_, at) =>
          Number.parseInt(mixed.slice(at * 16, at * 16 + 16), 2).toString(16),
        ).join(":");
        const far = address.map((one) => one.toString(16)).join(":");
        expect(contains(`${text}/${bits}`, near)).toBe(true);
        expect(contains(`${text}/${bits}`, far)).toBe(
          binary(address).startsWith(binary(network).slice(0, bits)),
        );
      }),
    );
  });
});

test("an IPv6 subscriber is a network of 64 bits, an IPv4 one its address in either spelling", () => {
  expect(subscriberOf("2001:db8:1:2:3:4:5:6")).toBe(subscriberOf("2001:db8:1:2::1"));
  expect(subscriberOf("2001:db8:1:3::1")).not.toBe(subscriberOf("2001:db8:1:2::1"));
  expect(subscriberOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(subscriberOf("192.0.2.7")).toBe("192.0.2.7");
});

test("what is no address is counted by no more text than an address has", () => {
  for (const text of ["x".repeat(8192), "1:".repeat(4096)]) expect(subscriberOf(text)).toHaveLength(45);
});
