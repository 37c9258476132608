/** The checks that every request passes: the firewall, before and after the caller is known, and CORS. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { allowsOrigin, corsHeaders, preflightHeaders } from "../../src/shared/firewall/cors.ts";
import type { Screening } from "../../src/shared/firewall/firewall.ts";
import type { IdentityResult } from "../../src/shared/identity/identity.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { PublicCall } from "./handle.ts";
import { factsOf } from "./place.ts";

type MaybePromise<T> = T | Promise<T>;

/** Before anything else is done. */
export function passDoor({ c, scope, isolate }: PublicCall): MaybePromise<Screening> {
  const request = c.req.raw;
  const screening = isolate.firewall.screen(request, () => factsOf(request), scope.background);
  return screening instanceof Promise
    ? screening.then((screened) => noted(scope, screened))
    : noted(scope, screening);
}

/** For requests without a credential, or with one that is not tried because its address has shown too many wrong ones. */
export async function passStranger(call: PublicCall): Promise<Refusal | null> {
  const retryAfterMs = call.isolate.firewall.credentialWaitMs(call.c.req.raw.headers);
  return retryAfterMs === null ? passHeaders(call) : { kind: "address-limited", retryAfterMs };
}

/** Looks at all headers while the credential is verified. */
export async function passHeaders({ c, scope, isolate }: PublicCall): Promise<Refusal | null> {
  const screening = await isolate.firewall.screenStranger(c.req.raw, scope.background);
  return noted(scope, screening).refusal;
}

/** The caller could not be identified: a wrong credential counts against its address. */
export async function turnAway(
  { c, scope, isolate }: PublicCall,
  refusal: Extract<IdentityResult, { ok: false }>["error"],
): Promise<Refusal> {
  if (refusal.kind !== "credential-invalid") return refusal;
  const retryAfterMs = await isolate.firewall.credentialFailed(c.req.raw.headers, scope.background);
  return retryAfterMs === null ? refusal : { kind: "address-limited", retryAfterMs };
}

/** Once the tenant is known. */
export function passTenant(
  { c, scope, isolate }: PublicCall,
  tenant: TenantConfig,
  before: Screening,
): Refusal | null {
  const request = c.req.raw;
  const screening = isolate.firewall.screenCaller(tenant, request, () => factsOf(request), before.finding);
  return noted(scope, screening).refusal;
}

function noted(scope: PublicCall["scope"], screening: Screening): Screening {
  if (screening.finding !== null)
    scope.record.firewall = `${screening.finding.rule} ${screening.finding.place}`;
  return screening;
}

/** The answer, readable for the page that asked if its origin is allowed. `tenant`: null while none is known. */
export async function shownTo(
  call: PublicCall,
  response: Response,
  tenant: TenantConfig | null,
): Promise<Response> {
  const origin = call.c.req.raw.headers.get("origin");
  if (origin === null || !(await mayRead(call, origin, tenant))) return response;
  // An asset's headers can't be changed in place.
  const shown = tenant === null ? new Response(response.body, response) : response;
  for (const [name, value] of Object.entries(corsHeaders(origin))) shown.headers.set(name, value);
  return shown;
}

/** The answer to a preflight; null if the request is not one, or its origin is not allowed on this hostname. */
export async function preflight(call: PublicCall): Promise<Readonly<Record<string, string>> | null> {
  const { headers } = call.c.req.raw;
  const origin = headers.get("origin");
  if (origin === null || headers.get("access-control-request-method") === null) return null;
  if (!(await mayRead(call, origin, null))) return null;
  return preflightHeaders({ origin, requestedHeaders: headers.get("access-control-request-headers") });
}

async function mayRead(
  { c, scope, isolate }: PublicCall,
  origin: string,
  tenant: TenantConfig | null,
): Promise<boolean> {
  const host = c.req.header("host") ?? "";
  if (tenant !== null) return allowsOrigin(tenant.cors, origin, host);
  const byHost = await isolate.tenants.byHost(hostNameOf(host), scope.background);
  // A shared hostname: answers that are given before a credential is read hold no secrets.
  return allowsOrigin(byHost.ok && byHost.value !== null ? byHost.value.cors : "any", origin, host);
}

/** Lower case, without a port. */
export function hostNameOf(host: string): string {
  const colon = host.lastIndexOf(":");
  return (colon > host.lastIndexOf("]") ? host.slice(0, colon) : host).toLowerCase();
}
