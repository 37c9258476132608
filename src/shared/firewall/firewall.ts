/**
 * Which requests are refused before their caller is identified, and which afterwards?
 *
 *   request line ▸ address limit ▸ platform's rules ▸ injection patterns ▸ (a stranger: all headers) ▸ identity ▸ tenant's rules
 *
 * A caller whose credential this isolate has verified within the last minute pays for the first four alone: 1.4 µs of CPU in workerd, 0.9
 * with patterns off, most of it the look at headers. No clock, no storage: both come in through ports.
 */
import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import { requestLimits } from "../wire/request-limits.ts";
import { compileAccessRules, type AccessDecision, type ClientFacts } from "./access-rules.ts";
import type { AddressLimiter } from "./address-limiter.ts";
import type { AccessRule, FirewallMode, PlatformFirewall } from "./firewall-policy.ts";
import type { Place } from "./injection/rule.ts";
import { scanHeader, scanPath, scanQuery, type Finding } from "./injection/scan.ts";
import { subscriberOf } from "./ip-address.ts";
import { targetFault, targetOf, type RequestTarget } from "./request-target.ts";

/** The part of a `Request` that is looked at. Never its body. */
export interface ScreenedRequest {
  readonly url: string;
  readonly headers: Headers;
}

export interface Screening {
  readonly refusal: Refusal | null;
  /** What matched, whether or not it blocks. */
  readonly finding: Finding | null;
}

export interface FirewallOptions {
  /** The platform's policy: at once where memory has it. */
  readonly policy: (background: Background) => PlatformFirewall | Promise<PlatformFirewall>;
  /** All requests of an address; and those with a wrong credential. */
  readonly requests: AddressLimiter;
  readonly failures: AddressLimiter;
}

const passed: Screening = { refusal: null, finding: null };
/** Read by name: each look costs 0.2 µs, walking all headers 3 µs. Browsers fill these, so attacks ride in them. */
const scannedHeaders = ["user-agent", "referer", "cookie"] as const satisfies readonly Place[];
/** Never scanned: credentials and signatures are random text, and these have readers of their own. */
const unscanned = new Set([
  "authorization",
  "signature",
  "signature-input",
  "content-digest",
  "cf-ray",
  "accept",
]);
const fileName = /^x[-_.]?file[-_.]?name$/;

export class Firewall {
  readonly #options: FirewallOptions;
  readonly #decisions = new WeakMap<readonly AccessRule[], AccessDecision>();
  /** A user agent is the same in thousands of requests, and never free of brackets and semicolons. */
  readonly #agents = new BoundedMap<string, { readonly finding: Finding | null }>({
    maxEntries: 512,
    maxWeight: 131_072,
    weigh: (agent) => agent.length,
  });

  constructor(options: FirewallOptions) {
    this.#options = options;
  }

  /** Before identification. A promise only where the platform's policy must be read first. */
  screen(
    request: ScreenedRequest,
    facts: () => ClientFacts,
    background: Background,
  ): Screening | Promise<Screening> {
    const policy = this.#options.policy(background);
    return policy instanceof Promise
      ? policy.then((read) => this.#screen(request, facts, background, read))
      : this.#screen(request, facts, background, policy);
  }

  /** For callers that are not known yet: number and length of all headers, and the values of the others. */
  screenStranger(request: ScreenedRequest, background: Background): Screening | Promise<Screening> {
    const policy = this.#options.policy(background);
    return policy instanceof Promise
      ? policy.then((read) => screenHeaders(request.headers, read.injection))
      : screenHeaders(request.headers, policy.injection);
  }

  /** After identification: the tenant's own rules. `found`: by the platform's, in log mode. */
  screenCaller(
    tenant: {
      readonly firewall: { readonly injection: FirewallMode; readonly rules: readonly AccessRule[] };
    },
    request: ScreenedRequest,
    facts: () => ClientFacts,
    found: Finding | null,
  ): Screening {
    const { injection, rules } = tenant.firewall;
    if (rules.length > 0) {
      const denied = this.#decisionOf(rules)(facts());
      if (denied !== null) return { refusal: { kind: "blocked", rule: `tenant ${denied}` }, finding: found };
    }
    if (injection === "off") return passed;
    return judge(found ?? this.#scan(targetOf(request.url), request.headers), injection);
  }

  /** Counts a wrong credential against its address. Null: refuse the credential; else how long the address must wait, in milliseconds. */
  async credentialFailed(headers: Headers, background: Background): Promise<number | null> {
    const subscriber = subscriberIn(headers);
    if (subscriber === null) return null;
    const { addresses } = await this.#options.policy(background);
    return this.#options.failures.count(subscriber, addresses.failed_credentials_per_minute, background);
  }

  /** Has this address shown too many wrong credentials? How long it waits then, in milliseconds. */
  credentialWaitMs(headers: Headers): number | null {
    const subscriber = subscriberIn(headers);
    return subscriber === null ? null : this.#options.failures.waitMs(subscriber);
  }

  #screen(
    request: ScreenedRequest,
    facts: () => ClientFacts,
    background: Background,
    policy: PlatformFirewall,
  ): Screening {
    const { headers } = request;
    const target = targetOf(request.url);
    const fault = isOrdinary(target) ? null : targetFault(target);
    if (fault !== null) return { refusal: fault, finding: null };
    const subscriber = subscriberIn(headers);
    if (subscriber !== null) {
      const max = policy.addresses.requests_per_minute;
      const retryAfterMs = this.#options.requests.count(subscriber, max, background);
      if (retryAfterMs !== null) return { refusal: { kind: "address-limited", retryAfterMs }, finding: null };
    }
    if (policy.rules.length > 0) {
      const denied = this.#decisionOf(policy.rules)(facts());
      if (denied !== null) return { refusal: { kind: "blocked", rule: `platform ${denied}` }, finding: null };
    }
    return policy.injection === "off" ? passed : judge(this.#scan(target, headers), policy.injection);
  }

  #scan(target: RequestTarget, headers: Headers): Finding | null {
    const inLine = isOrdinary(target) ? null : (scanPath(target.path) ?? scanQuery(target.query));
    if (inLine !== null) return inLine;
    for (const name of scannedHeaders) {
      const value = headers.get(name);
      if (value === null) continue;
      const finding = name === "user-agent" ? this.#scanAgent(value) : scanHeader(value, name);
      if (finding !== null) return finding;
    }
    return null;
  }

  #scanAgent(agent: string): Finding | null {
    const known = this.#agents.get(agent);
    if (known !== undefined) return known.finding;
    const finding = scanHeader(agent, "user-agent");
    this.#agents.set(agent, { finding });
    return finding;
  }

  #decisionOf(rules: readonly AccessRule[]): AccessDecision {
    const known = this.#decisions.get(rules);
    if (known !== undefined) return known;
    const decision = compileAccessRules(rules);
    this.#decisions.set(rules, decision);
    return decision;
  }
}

/** Most requests: a path of words and no query, in which nothing can be hidden. One look instead of four. */
function isOrdinary({ path, query }: RequestTarget): boolean {
  return query === "" && path.length <= 128 && /^(?:\/[\w-]*)*$/.test(path);
}

/** Set by Cloudflare, which overwrites a client's own. Absent on plain workerd: then no address is counted. */
const addressHeader = "cf-connecting-ip";
/**
 * The one address that Cloudflare gives the requests of all Workers of other zones, whoever's they are. Each then names its
 * zone in `CF-Worker`, which Cloudflare sets, too: without it, one customer's flood would count against all who call from there.
 */
const workersAddress = "2a06:98c0:3600::103";
/** As long as a name of the DNS may be. */
const maxZoneCharacters = 253;

/** The key under which a request is counted. Null: none, since its address is unknown. */
function subscriberIn(headers: Headers): string | null {
  const ip = headers.get(addressHeader);
  if (ip === null) return null;
  if (ip !== workersAddress) return subscriberOf(ip);
  return `worker of ${(headers.get("cf-worker") ?? "").slice(0, maxZoneCharacters).toLowerCase()}`;
}

function judge(finding: Finding | null, mode: FirewallMode): Screening {
  if (finding === null) return passed;
  return {
    refusal: mode === "block" ? { kind: "blocked", rule: `${finding.rule} ${finding.place}` } : null,
    finding,
  };
}

const tooMany: Screening = {
  refusal: {
    kind: "headers-too-large",
    maxCharacters: requestLimits.headerCharacters,
    maxHeaders: requestLimits.headers,
  },
  finding: null,
};

function screenHeaders(headers: Headers, mode: FirewallMode): Screening {
  let count = 0;
  let characters = 0;
  let finding: Finding | null = null;
  for (const [name, value] of headers) {
    count += 1;
    characters += name.length + value.length;
    if (count > requestLimits.headers || characters > requestLimits.headerCharacters) return tooMany;
    if (mode === "off" || finding !== null || unscanned.has(name)) continue;
    if (name === "user-agent" || name === "referer" || name === "cookie") continue;
    finding = scanHeader(value, fileName.test(name) ? "file-name" : "header");
  }
  return judge(finding, mode);
}
