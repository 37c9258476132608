/** Which platform-wide firewall is in force? The document in KV under `firewall`, from the isolate's memory; else a default. */
import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { ConfigCache, type ConfigStore, type Reading } from "../tenancy/config-cache.ts";
import { describeIssues, forWriters, notJson } from "../tenancy/document-fault.ts";
import { platformFirewallSchema, type PlatformFirewall } from "./firewall-policy.ts";

/** The key in KV. */
export const firewallKey = "firewall";

/** Where the platform says nothing in production: what the schema makes of an empty document, without asking it at every start. */
export const defaultPlatformFirewall: PlatformFirewall = {
  injection: "block",
  rules: [],
  addresses: { requests_per_minute: 60_000, failed_credentials_per_minute: 60 },
};

/** On a laptop all requests come from one address, those of load tests and of tests with wrong credentials too. */
export const localPlatformFirewall: PlatformFirewall = {
  ...defaultPlatformFirewall,
  addresses: { requests_per_minute: 1_000_000_000, failed_credentials_per_minute: 1_000_000 },
};

export interface PolicySourceOptions {
  readonly store: ConfigStore;
  readonly fallback: PlatformFirewall;
  readonly now: () => number;
  readonly report: ReportFault;
}

/** At once where memory has it. Never rejects: what can't be read or is broken was reported, and the last good one stays. */
export function createPolicySource(
  options: PolicySourceOptions,
): (background: Background) => PlatformFirewall | Promise<PlatformFirewall> {
  const { store, fallback, now, report } = options;
  const cache = new ConfigCache<PlatformFirewall>({
    store,
    storeKey: (name) => name,
    parse: parsePlatformFirewall,
    now,
    report,
    maxEntries: 2,
    absentIsGood: true,
  });
  // Without any good reading the default holds: it blocks more than most policies, and never everything.
  const settle = (reading: Reading<PlatformFirewall>): PlatformFirewall =>
    reading.ok && reading.value !== null ? reading.value : fallback;
  return (background) => {
    const reading = cache.read(firewallKey, background);
    return reading instanceof Promise ? reading.then(settle) : settle(reading);
  };
}

/** A document, or what is wrong with it, naming the field. */
export function parsePlatformFirewall(text: string): Result<PlatformFirewall, string> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return err(notJson(error));
  }
  const policy = platformFirewallSchema.safeParse(document, forWriters);
  return policy.success ? ok(policy.data) : err(describeIssues(policy.error));
}
