import { describe, expect, test } from "vitest";
import { compileAccessRules, type ClientFacts } from "./access-rules.ts";
import { tenantFirewallSchema } from "./firewall-policy.ts";

function decide(rules: readonly object[], facts: ClientFacts): string | null {
  const parsed = tenantFirewallSchema.parse({ rules });
  return compileAccessRules(parsed.rules)(facts);
}

const office = { name: "office", action: "allow", ip: ["192.0.2.0/24", "2001:db8::/32"] };
const nobody = { name: "nobody", action: "deny" };

describe("rules in order: the first that holds decides", () => {
  test.each<[string, readonly object[], ClientFacts, string | null]>([
    ["without rules everybody passes", [], {}, null],
    ["an allow-list lets its own in", [office, nobody], { ip: "192.0.2.9" }, null],
    ["in the other spelling, too", [office, nobody], { ip: "::ffff:192.0.2.9" }, null],
    ["and IPv6", [office, nobody], { ip: "2001:db8::7" }, null],
    ["and nobody else", [office, nobody], { ip: "198.51.100.1" }, "nobody"],
    ["an unknown address is not on it", [office, nobody], {}, "nobody"],
    ["nor is what is no address", [office, nobody], { ip: "192.0.2.9, 10.0.0.1" }, "nobody"],
    ["a country", [{ name: "c", action: "deny", country: ["KP", "T1"] }], { country: "T1" }, "c"],
    ["another country", [{ name: "c", action: "deny", country: ["KP"] }], { country: "DE" }, null],
    ["an unknown country meets no condition", [{ name: "c", action: "deny", country: ["KP"] }], {}, null],
    ["a network's number", [{ name: "a", action: "deny", asn: [64_500] }], { asn: 64_500 }, "a"],
    ["another number", [{ name: "a", action: "deny", asn: [64_500] }], { asn: 64_501 }, null],
    ["a low bot score", [{ name: "b", action: "deny", bot_score_below: 30 }], { botScore: 29 }, "b"],
    [
      "a score at the bound passes",
      [{ name: "b", action: "deny", bot_score_below: 30 }],
      { botScore: 30 },
      null,
    ],
    ["no score, no verdict", [{ name: "b", action: "deny", bot_score_below: 30 }], {}, null],
    ["old TLS", [{ name: "t", action: "deny", tls_below: "1.2" }], { tlsVersion: "TLSv1.1" }, "t"],
    [
      "TLS 1.0 by its odd name",
      [{ name: "t", action: "deny", tls_below: "1.1" }],
      { tlsVersion: "TLSv1" },
      "t",
    ],
    [
      "TLS at the bound passes",
      [{ name: "t", action: "deny", tls_below: "1.2" }],
      { tlsVersion: "TLSv1.2" },
      null,
    ],
    ["no TLS known", [{ name: "t", action: "deny", tls_below: "1.3" }], { tlsVersion: "" }, null],
    [
      "all conditions of a rule must hold",
      [{ name: "x", action: "deny", country: ["DE"], asn: [1] }],
      { country: "DE", asn: 2 },
      null,
    ],
    [
      "a deny before an allow wins",
      [{ name: "d", action: "deny", ip: ["192.0.2.9"] }, office],
      { ip: "192.0.2.9" },
      "d",
    ],
  ])("%s", (_, rules, facts, decision) => {
    expect(decide(rules, facts)).toBe(decision);
  });
});

test.each([
  ["a network with bits after its prefix", { ip: ["10.0.0.1/8"] }],
  ["an empty list, which would mean everybody", { ip: [] }],
  ["a country in lower case", { country: ["de"] }],
  ["an unknown condition", { region: ["EU"] }],
])("a configuration with %s is refused", (_, condition) => {
  expect(
    tenantFirewallSchema.safeParse({ rules: [{ name: "x", action: "deny", ...condition }] }).success,
  ).toBe(false);
});
