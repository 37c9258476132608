import { expect, test } from "vitest";
import { allowsOrigin, corsHeaders, corsPolicySchema, preflightHeaders } from "./cors.ts";

const page = "https://app.example.com";
const policy = corsPolicySchema.parse({ origins: [page] });

test.each([
  ["its own origin, listed or not", "none", "https://api.example.com", true],
  ["a listed one", policy, page, true],
  ["another", policy, "https://evil.example", false],
  ["one that begins alike", policy, `${page}.evil.example`, false],
  ["another scheme", policy, "http://app.example.com", false],
  ["a sandboxed page", policy, "null", false],
  [
    "everybody, where the tenant says so",
    corsPolicySchema.parse({ origins: ["*"] }),
    "https://any.example",
    true,
  ],
  ["nobody by default", corsPolicySchema.parse({}), page, false],
  ["everybody before a tenant is known", "any", page, true],
] as const)("allowed: %s", (_, scope, origin, allowed) => {
  expect(allowsOrigin(scope, origin, "api.example.com")).toBe(allowed);
});

test.each([
  "app.example.com",
  "https://app.example.com/",
  "https://App.example.com",
  "https://*.example.com/x",
  "",
])("%j is no origin that a browser sends", (origin) => {
  expect(corsPolicySchema.safeParse({ origins: [origin] }).success).toBe(false);
});

test("a preflight repeats header names and nothing else", () => {
  const repeated = (requestedHeaders: string) =>
    preflightHeaders({ origin: page, requestedHeaders })["access-control-allow-headers"];
  expect(repeated("authorization,x-stainless-os")).toBe("authorization,x-stainless-os");
  expect(repeated("a\r\nset-cookie: x")).toBe("authorization, content-type");
  expect(repeated("a".repeat(65))).toBe("authorization, content-type");
  expect(repeated(Array.from({ length: 65 }, () => "a").join(","))).toBe("authorization, content-type");
});

test.each([
  "retry-after-ms",
  "x-request-id",
  "x-ratelimit-remaining-tokens",
  // Why it was refused, what to sign, and under which name to save.
  "www-authenticate",
  "accept-signature",
  "allow",
  "content-disposition",
])("a page that may read an answer may read its %s", (name) => {
  expect(corsHeaders(page)["access-control-expose-headers"]?.split(", ")).toContain(name);
});
