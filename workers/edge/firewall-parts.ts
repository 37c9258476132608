/** The firewall of this isolate: its policy from KV, its counters from memory and, where bound, of the whole location. */
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";
import { AddressLimiter } from "../../src/shared/firewall/address-limiter.ts";
import { Firewall } from "../../src/shared/firewall/firewall.ts";
import {
  createPolicySource,
  defaultPlatformFirewall,
  localPlatformFirewall,
} from "../../src/shared/firewall/policy-source.ts";
import type { ConfigStore } from "../../src/shared/tenancy/config-cache.ts";
import { rateLimitCounter } from "./adapters/rate-limit.ts";

/** wrangler.toml counts requests in blocks of so many: a tenth of the calls, and of their cost. */
const requestsPerBlock = 10;

export function edgeFirewall(
  env: Pick<Cloudflare.Env, "ENVIRONMENT" | "ADDRESS_REQUESTS" | "ADDRESS_FAILURES">,
  store: ConfigStore,
  now: () => number,
  report: ReportFault,
): Firewall {
  const fallback = env.ENVIRONMENT === "local" ? localPlatformFirewall : defaultPlatformFirewall;
  const requests = rateLimitCounter(env.ADDRESS_REQUESTS);
  const failures = rateLimitCounter(env.ADDRESS_FAILURES);
  return new Firewall({
    policy: createPolicySource({ store, fallback, now, report }),
    requests: new AddressLimiter({ blockSize: requestsPerBlock, shared: requests, now }),
    failures: new AddressLimiter({ blockSize: 1, shared: failures, now }),
  });
}
