import { expect, test } from "vitest";
import { isPublicHost } from "./public-address.ts";
import { judgeTarget } from "./target.ts";

const policy = { hosts: new Set(["api.example.com", "api.example.com:8443"]), mayReachThisMachine: false };

test.each(["https://api.example.com/x", "https://api.example.com:8443/"])("%s may be asked", (url) => {
  expect(judgeTarget(new URL(url), policy).ok).toBe(true);
});

test.each([
  "http://api.example.com/",
  "https://api.example.com:444/",
  "https://user@api.example.com/",
  "https://api.example.com.evil.test/",
  "https://evil.example/?api.example.com",
  "ftp://api.example.com/",
  "https://api.example.com./",
  "https://127.0.0.1/",
])("%s may not", (url) => {
  expect(judgeTarget(new URL(url), policy).ok).toBe(false);
});

test("an address nearby may not be asked though it is listed; this machine may be in development alone", () => {
  const hosts = new Set(["10.0.0.1", "127.0.0.1:9", "metadata.google.internal"]);
  for (const url of ["https://10.0.0.1/", "https://metadata.google.internal/"])
    expect(judgeTarget(new URL(url), { hosts, mayReachThisMachine: true }).ok).toBe(false);
  const here = new URL("http://127.0.0.1:9/");
  expect(judgeTarget(here, { hosts, mayReachThisMachine: true }).ok).toBe(true);
  expect(judgeTarget(here, { hosts, mayReachThisMachine: false }).ok).toBe(false);
});

test.each([
  "0.0.0.0",
  "0x7f.1",
  "2130706433",
  "017700000001",
  "127.1",
  "192.168.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:a9fe:a9fe]",
  "[::127.0.0.1]",
  "[fe80::1]",
  "[fc00::1]",
  "[ff02::1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1:7f00:0:100::]",
  "[2002:7f00:1::]",
  "[2001:0:1::]",
  "[2001:db8::1]",
  "localhost",
  "LOCALHOST.",
  "a.localhost",
  "printer.local",
  "intranet",
  "x.home.arpa",
])("%s is none of the public internet, in whatever form", (host) => {
  expect(isPublicHost(new URL(`https://${host}/`).hostname)).toBe(false);
});

test.each([
  "8.8.8.8",
  "[2606:4700:4700::1111]",
  "[64:ff9b::808:808]",
  "example.com",
  "xn--bcher-kva.example",
])("%s is of the public internet", (host) => {
  expect(isPublicHost(new URL(`https://${host}/`).hostname)).toBe(true);
});
