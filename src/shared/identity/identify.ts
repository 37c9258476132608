import { err, ok } from "../contracts/result.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import { inNetwork, parseIpAddress, type IpNetwork } from "../firewall/ip-address.ts";
import { maxTokenChars, readCompactToken, type CompactToken } from "./compact-token.ts";
import { findIssuer, invalidToken } from "./find-issuer.ts";
import { platformGrant, tenantGrant } from "./grant.ts";
import type { Caller, Identify, Identity, IdentityResult } from "./identity.ts";
import { createIssuerKeys, type IssuerKeys, type IssuerKeysOptions } from "./issuer-keys.ts";
import type { KnownKey } from "./key-record.ts";
import type { PlatformIssuer } from "./platform-issuer.ts";
import type { TokenAlgorithm } from "./public-key.ts";
import { verifiedPayload } from "./signature.ts";
import { verifyKey, type KeyVerifierOptions } from "./verify-key.ts";

/**
 * Who is calling? From the Authorization header to a principal with its tenant's configuration:
 *
 *   bearer → strict form → issuer (by hostname, or iss + aud) → algorithm → claims and grant → key → signature → remember
 *
 * An API key takes another path to the same result (verify-key.ts). The cheap refusals come first; nothing is trusted before the signature.
 * A verified token is remembered, so that a hot request costs one look-up. Whatever is wrong with a credential is 401; a fault of ours or
 * of an issuer is 503.
 */
export interface IdentifyOptions extends IssuerKeysOptions, KeyVerifierOptions {
  readonly platform: PlatformIssuer | null;
}

/** How long an isolate trusts a verified token, and how many it remembers (at most twice as many: BoundedMap). */
export const rememberedLimits = {
  maxAgeMs: 60_000,
  maxTokens: 8192,
  /** Characters of headers kept as keys. */
  maxChars: 4_194_304,
  /** A wrong signature is remembered so that repeating it costs nothing. */
  refusedAgeMs: 10_000,
  maxRefused: 1024,
  maxRefusedChars: 1_048_576,
} as const;

/** What a verdict rests on, an issuer's keys or a key's record: it holds while the same object is current. */
type Ground = Pick<IssuerKeys, "current">;

interface Remembered {
  readonly result: IdentityResult & { readonly ok: true };
  readonly untilMs: number;
  readonly ground: Ground;
  readonly groundInUse: object | null;
  /** Where it may be used from; `null`: everywhere. */
  readonly allowed: KnownKey["allowed"];
}

interface Refused {
  readonly result: IdentityResult & { readonly ok: false };
  readonly untilMs: number;
  readonly ground: Ground;
  readonly groundInUse: object | null;
}

export function createIdentify(options: IdentifyOptions): Identify {
  const { tenants, now } = options;
  const keysOf = createIssuerKeys(options);
  // Keyed by the whole header: the engine hashes it (seeded) and compares it in full, so that no two tokens can be taken
  // for one. Measured on workerd: 0.4 µs, against 5 µs and a promise for SHA-256. The price is that tokens lie in
  // memory, where the request had brought them anyway, for two minutes at most while requests come.
  const remembered = new BoundedMap<string, Remembered>({
    maxEntries: rememberedLimits.maxTokens,
    maxWeight: rememberedLimits.maxChars,
    weigh: (header) => header.length,
  });
  const refused = new BoundedMap<string, Refused>({
    maxEntries: rememberedLimits.maxRefused,
    maxWeight: rememberedLimits.maxRefusedChars,
    weigh: (header) => header.length,
  });
  let turnedAtMs = now();

  function recall(authorization: string, caller: Caller): IdentityResult | undefined {
    const entry = remembered.get(authorization);
    if (entry === undefined || now() >= entry.untilMs) return undefined;
    if (entry.ground.current(caller.background) !== entry.groundInUse) return undefined;
    if (entry.allowed !== null && !isAllowed(entry.allowed, caller)) return fromElsewhere;
    const identity = entry.result.value;
    if (identity.kind === "platform") return entry.result;
    // The tenant as it is configured now, at this hostname: another object is another configuration.
    const byHost = tenants.byHost(caller.host, caller.background);
    if (byHost instanceof Promise || !byHost.ok) return undefined;
    if (byHost.value !== null) return byHost.value === identity.tenant ? entry.result : undefined;
    const byId = tenants.byId(identity.tenant.id, caller.background);
    if (byId instanceof Promise || !byId.ok) return undefined;
    return byId.value === identity.tenant ? entry.result : undefined;
  }

  /** Verified lately: a caller who shows it again is not guessing, whatever others at the same address do. */
  function wasGood(authorization: string, time: number): boolean {
    const entry = remembered.get(authorization);
    return entry !== undefined && time < entry.untilMs + rememberedLimits.maxAgeMs;
  }

  async function verify(authorization: string, caller: Caller): Promise<IdentityResult> {
    const credential = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
    if (credential === undefined) return unreadable;
    if (unfilled.test(credential)) return unset;
    // API keys have no dot (`ew_<env>_<id>_<secret>`), tokens always have two.
    if (!credential.includes(".")) return verifyApiKey(authorization, credential, caller);
    const read = readCompactToken(credential);
    if (!read.ok) return invalidToken(read.error);
    const token = read.value;

    const found = await findIssuer(token, caller, options);
    if (!found.ok) return found;
    const { issuer } = found.value;
    const algorithm = pinnedAlgorithm(token, issuer.algorithms);
    if (algorithm === null) return invalidToken("algorithm is not the issuer's");
    const granted =
      found.value.kind === "platform"
        ? platformGrant(token.claims, found.value.issuer, now())
        : tenantGrant(token.claims, found.value.issuer, found.value.tenant.id, now());
    if (!granted.ok) return invalidToken(granted.error);

    const keys = keysOf(issuer);
    const finding = await keys.find(token.header.kid, algorithm, caller.background);
    if (finding.result === "unavailable")
      return err({
        kind: "dependency-unavailable",
        component: "keys",
        retryAfterMs: 5_000,
        detail: finding.detail,
      });
    if (finding.result !== "found") return invalidToken(`key is ${finding.result}`);
    const proof = { ground: keys, groundInUse: keys.current(caller.background) };
    const { key, previous } = finding;
    const payload =
      (await verifiedPayload(token.text, key)) ??
      (previous === undefined ? null : await verifiedPayload(token.text, previous));
    if (payload === null) return refuse(authorization, invalidToken("signature is wrong"), proof);

    const principal = granted.value;
    const result = ok<Identity>(
      found.value.kind === "platform"
        ? { kind: "platform", principal }
        : { kind: "tenant", principal, tenant: found.value.tenant },
    );
    return remember(authorization, result, { ...proof, allowed: null });
  }

  async function verifyApiKey(
    authorization: string,
    credential: string,
    caller: Caller,
  ): Promise<IdentityResult> {
    const verified = await verifyKey(credential, caller.host, caller.background, options);
    if (!verified.ok) {
      const { refusal, wrongSecretOf } = verified.error;
      return wrongSecretOf === null
        ? err(refusal)
        : refuse(authorization, err(refusal), proofOf(wrongSecretOf));
    }
    const { known } = verified.value;
    if (known.allowed !== null && !isAllowed(known.allowed, caller)) return fromElsewhere;
    const { principal, tenant } = verified.value;
    const identity: Identity =
      tenant === null ? { kind: "platform", principal } : { kind: "tenant", principal, tenant };
    return remember(authorization, ok(identity), { ...proofOf(known), allowed: known.allowed });
  }

  /** What was derived from a key's record holds while the record is the same object. */
  function proofOf(known: KnownKey): { readonly ground: Ground; readonly groundInUse: object } {
    const { id } = known.record;
    const current: Ground["current"] = (background) => {
      const reading = options.apiKeys.byId(id, background);
      return reading instanceof Promise || !reading.ok ? null : reading.value;
    };
    return { ground: { current }, groundInUse: known };
  }

  function remember(
    authorization: string,
    result: IdentityResult & { readonly ok: true },
    proof: Pick<Remembered, "ground" | "groundInUse" | "allowed">,
  ): IdentityResult {
    const untilMs = Math.min(result.value.principal.expiresAtMs, now() + rememberedLimits.maxAgeMs);
    remembered.set(authorization, { result, untilMs, ...proof });
    return result;
  }

  function refuse(
    authorization: string,
    result: IdentityResult & { readonly ok: false },
    proof: Pick<Refused, "ground" | "groundInUse">,
  ): IdentityResult {
    const untilMs = now() + rememberedLimits.refusedAgeMs;
    refused.set(authorization, { result, untilMs, ...proof });
    return result;
  }

  return (authorization, caller) => {
    if (authorization === null || authorization === "") return missing;
    // Before it is hashed or matched: a header may be as long as the platform lets it be.
    if (authorization.length > maxTokenChars + 64) return invalidToken("token too long");
    const known = recall(authorization, caller);
    if (known !== undefined) return known;
    const time = now();
    if (time - turnedAtMs >= rememberedLimits.maxAgeMs) {
      // So that no token stays in memory much longer than it is of use.
      turnedAtMs = time;
      remembered.turn();
      refused.turn();
    }
    const failed = refused.get(authorization);
    if (
      failed !== undefined &&
      time < failed.untilMs &&
      failed.ground.current(caller.background) === failed.groundInUse
    )
      return failed.result;
    const retryAfterMs = wasGood(authorization, time) ? null : caller.waitMs();
    return retryAfterMs === null
      ? verify(authorization, caller)
      : err({ kind: "address-limited", retryAfterMs });
  };
}

const missing: IdentityResult = err({ kind: "credential-missing" });

/** Another scheme, none, or more than one word behind it. */
const unreadable: IdentityResult = err({
  kind: "credential-invalid",
  credential: "form",
  detail: "no bearer credential",
});

/** What programs and shells send in place of a variable that has no value: `undefined`, `None`, `$TOKEN`, `${TOKEN}`, `%TOKEN%`, `{{token}}`. */
const unfilled = /^(?:undefined|null|none|nil|\$.*|%\w+%|\{\{.*\}\})$/i;

const unset: IdentityResult = err({
  kind: "credential-invalid",
  credential: "unset",
  detail: "a variable without a value",
});

const fromElsewhere: IdentityResult = err({
  kind: "credential-invalid",
  credential: "key",
  detail: "an address that the key does not allow",
});

function isAllowed(allowed: readonly IpNetwork[], caller: Caller): boolean {
  const address = parseIpAddress(caller.address() ?? "");
  return address !== null && allowed.some((network) => inNetwork(address, network));
}

/** The issuer's algorithm that the token's header names, exactly as written there; `null`: none of his. */
function pinnedAlgorithm(token: CompactToken, algorithms: readonly TokenAlgorithm[]): TokenAlgorithm | null {
  // RFC 9864's name for the same thing.
  const named = token.header.alg === "Ed25519" ? "EdDSA" : token.header.alg;
  return algorithms.find((algorithm) => algorithm === named) ?? null;
}
