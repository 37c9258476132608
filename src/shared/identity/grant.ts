import { orgIdSchema, tenantIdSchema, userIdSchema } from "../contracts/ids.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { tierSchema } from "../limits/tier.ts";
import type { Issuer } from "../tenancy/issuer-config.ts";
import type { PlatformIssuer } from "./platform-issuer.ts";
import type { Principal } from "./principal.ts";
import { platformScope } from "./scope.ts";

/**
 * Which principal do a token's claims name, and may its issuer grant what they ask for? Pure: claims in, principal out, the time a
 * parameter. A claim of the wrong type, a date outside its window, or a tier or scope beyond the configuration is refused, never trimmed.
 */
type Claims = Readonly<Record<string, unknown>>;

/** Seconds since 1970. A later date than the year 5138 is no date. */
const maxDate = 100_000_000_000;
const maxScopes = 64;
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** `tenantId`: whose issuer it is. The principal's tenant comes from there, never from a claim. */
export function tenantGrant(
  claims: Claims,
  issuer: Issuer,
  tenantId: string,
  nowMs: number,
): Result<Principal, string> {
  const validity = readValidity(claims, issuer, nowMs);
  if (!validity.ok) return validity;
  const user = userIdSchema.safeParse(claim(claims, issuer.claims.user));
  if (!user.success) return err(`claim ${issuer.claims.user} names no user`);
  const org = orgIdSchema.safeParse(claim(claims, issuer.claims.org) ?? tenantId);
  if (!org.success) return err(`claim ${issuer.claims.org} names no org`);
  const tier = tierSchema.safeParse(claim(claims, issuer.claims.tier) ?? issuer.grants.default_tier);
  if (!tier.success) return err(`claim ${issuer.claims.tier} names no tier`);
  if (!issuer.grants.tiers.includes(tier.data)) return err(`tier ${tier.data} is not granted`);
  const scopes = readScopes(claim(claims, issuer.claims.scope));
  if (scopes === null) return err(`claim ${issuer.claims.scope} is no list of scopes`);
  for (const scope of scopes)
    // The schema keeps platform scopes out of grants; said again here, where it counts.
    if (!issuer.grants.scopes.includes(scope) || scope.startsWith("platform:"))
      return err("a scope is not granted");
  return ok({
    tenant: tenantIdSchema.parse(tenantId),
    org: org.data,
    user: user.data,
    tier: tier.data,
    scopes,
    proof: "jwt",
    ...validity.value,
    key: null,
  });
}

/** The platform's own issuer grants `platform:*` and nothing else. */
export function platformGrant(
  claims: Claims,
  issuer: PlatformIssuer,
  nowMs: number,
): Result<Principal, string> {
  const validity = readValidity(claims, issuer, nowMs);
  if (!validity.ok) return validity;
  const user = userIdSchema.safeParse(claim(claims, "sub"));
  if (!user.success) return err("claim sub names no user");
  const scopes = readScopes(claim(claims, "scope"));
  if (scopes === null) return err("claim scope is no list of scopes");
  for (const scope of scopes)
    if (!platformScope.safeParse(scope).success) return err("a scope is not granted");
  return ok({
    tenant: "platform",
    org: orgIdSchema.parse("platform"),
    user: user.data,
    tier: "enterprise",
    scopes,
    proof: "jwt",
    ...validity.value,
    key: null,
  });
}

type DatePolicy = Pick<Issuer, "clock_skew_seconds" | "max_age_seconds">;

/** From when to when, in milliseconds (RFC 7519, 4.1.4 to 4.1.6); the end has the skew in it, the beginning is as claimed. */
function readValidity(
  claims: Claims,
  policy: DatePolicy,
  nowMs: number,
): Result<Pick<Principal, "expiresAtMs" | "issuedAtMs">, string> {
  const now = nowMs / 1000;
  const skew = policy.clock_skew_seconds;
  for (const name of ["exp", "nbf", "iat"]) {
    const date = claim(claims, name);
    if (date === undefined && name !== "exp") continue;
    if (typeof date !== "number" || !Number.isFinite(date) || date < 0 || date > maxDate)
      return err(`claim ${name} is no date`);
  }
  const { exp, nbf, iat } = claims as { exp: number; nbf?: number; iat?: number };
  if (exp <= now - skew) return err("token has expired");
  if (nbf !== undefined && nbf > now + skew) return err("token is not valid yet");
  if (iat !== undefined && iat > now + skew) return err("token was issued in the future");
  if (exp - (iat ?? now) > policy.max_age_seconds) return err("token lives longer than its issuer may grant");
  return ok({ expiresAtMs: (exp + skew) * 1000, issuedAtMs: (iat ?? 0) * 1000 });
}

/** A space-separated string (RFC 8693, 4.2) or an array of strings, as identity providers also write it. */
function readScopes(value: unknown): ReadonlySet<string> | null {
  if (value === undefined || value === null || value === "") return new Set();
  const list: unknown[] | null =
    typeof value === "string" ? value.split(" ") : Array.isArray(value) ? (value as unknown[]) : null;
  if (list === null || list.length > maxScopes) return null;
  const scopes = new Set<string>();
  for (const scope of list) {
    if (typeof scope !== "string" || !scopePattern.test(scope)) return null;
    scopes.add(scope);
  }
  return scopes;
}

/** Own members only: a claim mapped to "constructor" finds nothing. */
function claim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
