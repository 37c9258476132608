/** May this caller's address, country, network, bot score and TLS version call? The first rule that holds decides. */
import type { AccessRule } from "./firewall-policy.ts";
import { inNetwork, parseIpAddress, parseIpNetwork, type IpNetwork } from "./ip-address.ts";

/** Facts about the connection; an unknown one meets no condition. */
export interface ClientFacts {
  readonly ip?: string;
  readonly country?: string;
  readonly asn?: number;
  readonly botScore?: number;
  /** As Cloudflare writes it: `TLSv1.3`. */
  readonly tlsVersion?: string;
}

interface CompiledRule {
  readonly rule: AccessRule;
  readonly networks: readonly IpNetwork[] | null;
  readonly countries: ReadonlySet<string> | null;
  readonly asns: ReadonlySet<number> | null;
}

/** The name of the rule that denies; null where the request may pass. */
export type AccessDecision = (facts: ClientFacts) => string | null;

/** Done once a configuration: a rule is then some comparisons of numbers. */
export function compileAccessRules(rules: readonly AccessRule[]): AccessDecision {
  const compiled = rules.map(compile);
  const wantsAddress = compiled.some(({ networks }) => networks !== null);
  return function decideAccess(facts) {
    const address = wantsAddress && facts.ip !== undefined ? parseIpAddress(facts.ip) : null;
    for (const { rule, networks, countries, asns } of compiled) {
      if (networks !== null && (address === null || !networks.some((one) => inNetwork(address, one))))
        continue;
      if (countries !== null && (facts.country === undefined || !countries.has(facts.country))) continue;
      if (asns !== null && (facts.asn === undefined || !asns.has(facts.asn))) continue;
      if (
        rule.bot_score_below !== undefined &&
        (facts.botScore === undefined || facts.botScore >= rule.bot_score_below)
      )
        continue;
      if (rule.tls_below !== undefined && !olderTls(facts.tlsVersion, rule.tls_below)) continue;
      return rule.action === "deny" ? rule.name : null;
    }
    return null;
  };
}

function compile(rule: AccessRule): CompiledRule {
  return {
    rule,
    networks: rule.ip?.map(parseIpNetwork).filter((network) => network !== null) ?? null,
    countries: rule.country === undefined ? null : new Set(rule.country),
    asns: rule.asn === undefined ? null : new Set(rule.asn),
  };
}

/** Unknown versions (none, or one yet to come) are not older. SSL and TLS 1.0 are older than everything named here. */
function olderTls(version: string | undefined, than: "1.1" | "1.2" | "1.3"): boolean {
  if (version === undefined) return false;
  if (/^SSL/i.test(version) || version === "TLSv1") return true;
  const minor = /^TLSv1\.(\d)$/.exec(version)?.[1];
  return minor !== undefined && Number(minor) < Number(than.slice(2));
}
