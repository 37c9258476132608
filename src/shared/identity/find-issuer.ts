/** Which issuer does a token claim to be from? The token is not verified yet: the claim only says whose key to try. */
import { err, ok, type Result } from "../contracts/result.ts";
import type { Issuer } from "../tenancy/issuer-config.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { TenantDirectory } from "../tenancy/tenant-directory.ts";
import type { CompactToken } from "./compact-token.ts";
import { demoTenantId } from "./demo.ts";
import type { Caller, IdentityRefusal } from "./identity.ts";
import type { PlatformIssuer } from "./platform-issuer.ts";

export type FoundIssuer =
  | { readonly kind: "platform"; readonly issuer: PlatformIssuer }
  | { readonly kind: "tenant"; readonly issuer: Issuer; readonly tenant: TenantConfig };

export interface IssuerFinderOptions {
  readonly tenants: TenantDirectory;
  readonly platform: PlatformIssuer | null;
  readonly environment: "local" | "production";
}

/** The tenant and the issuer that this token claims to be from, or the platform's. */
export async function findIssuer(
  token: CompactToken,
  caller: Caller,
  { tenants, platform, environment }: IssuerFinderOptions,
): Promise<Result<FoundIssuer, IdentityRefusal>> {
  const named = readIssuerAndAudience(token.claims);
  if (named === null) return invalidToken("token names no issuer and audience");
  const { issuer, audiences } = named;
  if (platform !== null && issuer === platform.issuer && audiences.includes(platform.audience))
    return ok({ kind: "platform", issuer: platform });
  const byHost = await tenants.byHost(caller.host, caller.background);
  if (!byHost.ok) return byHost;
  let tenant = byHost.value;
  for (const audience of byHost.value === null ? audiences : []) {
    const byIssuer = await tenants.byIssuer(issuer, audience, caller.background);
    if (!byIssuer.ok) return byIssuer;
    if (byIssuer.value === null) continue;
    if (tenant !== null && byIssuer.value.id !== tenant.id) return invalidToken("token is for two tenants");
    tenant = byIssuer.value;
  }
  const configured = tenant?.issuers.find(
    (known) => known.issuer === issuer && audiences.includes(known.audience),
  );
  if (tenant === null || configured === undefined) return invalidToken("issuer and audience are nobody's");
  if (environment === "production" && tenant.id === demoTenantId)
    return invalidToken("the demo tenant is refused in production");
  return ok({ kind: "tenant", issuer: configured, tenant });
}

/** Everything that is wrong with a token is one answer; `detail` is for the log. */
export function invalidToken(detail: string) {
  return err<IdentityRefusal>({ kind: "credential-invalid", credential: "token", detail });
}

const maxAudiences = 8;

/** Unverified: good for finding the issuer, and for nothing else. `aud` is a string or an array of strings. */
function readIssuerAndAudience(claims: CompactToken["claims"]) {
  const { iss: issuer, aud } = claims;
  if (typeof issuer !== "string") return null;
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || audiences.length > maxAudiences) return null;
  return audiences.every((audience) => typeof audience === "string") ? { issuer, audiences } : null;
}
