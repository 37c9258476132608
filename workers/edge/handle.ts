/**
 * The frame around every route: ids, who is calling, which scope the route needs, and a record that is closed whatever happens. Only work
 * that is finished when the headers are sent belongs here.
 */
import type { Context } from "hono";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { LeaveSignal } from "../../src/shared/contracts/leave-signal.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { Unreachable } from "../../src/shared/contracts/unreachable.ts";
import type { Screening } from "../../src/shared/firewall/firewall.ts";
import type { Identity } from "../../src/shared/identity/identity.ts";
import type { Principal } from "../../src/shared/identity/principal.ts";
import { revokedCredential } from "../../src/shared/limits/revocation.ts";
import { correlate, randomHex } from "../../src/shared/telemetry/correlation.ts";
import { logLine, type RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import { socketCredential } from "../../src/shared/sessions/socket-credential.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { hostNameOf, passDoor, passHeaders, passStranger, passTenant, shownTo, turnAway } from "./door.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { ClientTie } from "./client-tie.ts";
import { wasInVain } from "./judged-request.ts";
import { checkSignature } from "./signed.ts";
import { respondRefusal } from "./respond.ts";

export type EdgeContext = Context<{ Bindings: Cloudflare.Env }>;

export interface PublicCall {
  readonly c: EdgeContext;
  readonly scope: RequestScope;
  readonly isolate: Isolate;
}

export interface TenantCall extends PublicCall {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  /** Fires when the client is gone. */
  readonly client: LeaveSignal;
}

export interface PlatformCall extends PublicCall {
  readonly principal: Principal;
}

export interface AdminCall extends PublicCall {
  readonly principal: Principal;
  /** `null`: the platform's admin. */
  readonly tenant: TenantConfig | null;
}

type Handler<Call> = (call: Call) => Response | Promise<Response>;
export type TenantHandler = Handler<TenantCall>;
export type PublicHandler = Handler<PublicCall>;
export type PlatformHandler = Handler<PlatformCall>;
export type AdminHandler = Handler<AdminCall>;

/** For liveness checks: nothing stands before the handler that could be slow or down. */
export function aliveRoute(endpoint: string, handler: PublicHandler): (c: EdgeContext) => Promise<Response> {
  return async function handleAlive(c) {
    const call = open(c, endpoint);
    return orFailed(call, async () => handler(call));
  };
}

/** For everyone. `endpoint` is the route's pattern, for log and metrics. */
export function publicRoute(endpoint: string, handler: PublicHandler): (c: EdgeContext) => Promise<Response> {
  return async function handlePublic(c) {
    const call = open(c, endpoint);
    const response = await orFailed(call, async () => {
      const passed = await passDoor(call);
      const refusal = passed.refusal ?? (await passHeaders(call));
      return refusal === null ? handler(call) : respondRefusal(call.scope, refusal);
    });
    return shownTo(call, response, null);
  };
}

/**
 * Where is a revoked credential found out? `admission`: the handler admits the turn, and the buckets say so then. `here`: the
 * buckets are asked before the handler runs, where they were not heard lately.
 */
type RevocationCheck = "admission" | "here";

/** How old the buckets' answer may be. Admin routes change things, and need not be fast. */
export const heardWithinMs = { usual: 10_000, admin: 1_000 } as const;

/** For a tenant's principals. */
export function tenantRoute(
  endpoint: string,
  handler: TenantHandler,
  revocation: RevocationCheck = "here",
): (c: EdgeContext) => Promise<Response> {
  return async function handleTenant(c) {
    const call = open(c, endpoint);
    let known: TenantConfig | null = null;
    const response = await orFailed(call, async () => {
      const { scope } = call;
      const identified = await identify(call);
      if (!identified.ok) return respondRefusal(scope, identified.error);
      const { identity, passed } = identified.value;
      // The platform's own credentials belong to no tenant: they can't chat, and no bill would take it.
      if (identity.kind === "platform")
        return respondRefusal(scope, { kind: "scope-missing", scope: "tenant" });
      const { principal, tenant } = identity;
      known = tenant;
      scope.record.tenant = tenant.id;
      scope.record.org = principal.org;
      scope.record.tier = principal.tier;
      const refusal =
        passTenant(call, tenant, passed) ??
        (tenant.signing.policy === "off" ? null : await checkSignature(call, tenant));
      if (refusal !== null) return respondRefusal(scope, refusal);
      if (revocation === "here") {
        const asking = call.isolate.credentialStanding(identity, heardWithinMs.usual, scope.background);
        const standing = asking instanceof Promise ? await asking : asking;
        if (standing === "revoked") return respondRefusal(scope, revokedCredential(principal));
      }
      const tie = new ClientTie(c.executionCtx);
      const answering = handler({ ...call, principal, tenant, client: tie.signal });
      if (!(answering instanceof Promise)) return answering;
      tie.hold(answering, c.req.raw.signal);
      return answering.finally(tie.cut);
    });
    if (response.status >= 400 && response.status < 500) wasInVain(call.scope);
    return c.req.raw.headers.has("origin") ? shownTo(call, response, known) : response;
  };
}

/** For the platform's own credentials that carry `needed`. */
export function platformRoute(
  endpoint: string,
  needed: string,
  handler: PlatformHandler,
): (c: EdgeContext) => Promise<Response> {
  return async function handlePlatform(c) {
    const call = open(c, endpoint);
    return orFailed(call, async () => {
      const { scope, isolate } = call;
      const identified = await identify(call);
      if (!identified.ok) return respondRefusal(scope, identified.error);
      const { principal } = identified.value.identity;
      if (!principal.scopes.has(needed))
        return respondRefusal(scope, { kind: "scope-missing", scope: needed });
      const subject = { principal, tenant: null };
      const standing = await isolate.credentialStanding(subject, heardWithinMs.usual, scope.background);
      if (standing === "revoked") return respondRefusal(scope, revokedCredential(principal));
      return handler({ ...call, principal });
    });
  };
}

/** For admins with any one of `scopes`. A credential whose bucket can't be reached may change nothing. */
export function adminRoute(
  endpoint: string,
  scopes: readonly string[],
  handler: AdminHandler,
): (c: EdgeContext) => Promise<Response> {
  return async function handleAdmin(c) {
    const call = open(c, endpoint);
    return orFailed(call, async () => {
      const { scope, isolate } = call;
      const identified = await identify(call);
      if (!identified.ok) return respondRefusal(scope, identified.error);
      const { identity, passed } = identified.value;
      const { principal } = identity;
      const tenant = identity.kind === "tenant" ? identity.tenant : null;
      if (tenant !== null) {
        scope.record.tenant = tenant.id;
        const refusal =
          passTenant(call, tenant, passed) ??
          (tenant.signing.policy === "off" ? null : await checkSignature(call, tenant));
        if (refusal !== null) return respondRefusal(scope, refusal);
      }
      if (!scopes.some((needed) => principal.scopes.has(needed)))
        return respondRefusal(scope, { kind: "scope-missing", scope: scopes.join(" ") });
      const subject = { principal, tenant };
      const standing = await isolate.credentialStanding(subject, heardWithinMs.admin, scope.background);
      if (standing === "revoked") return respondRefusal(scope, revokedCredential(principal));
      if (standing === "unreachable") return respondRefusal(scope, unasked);
      return handler({ ...call, principal, tenant });
    });
  };
}

const unasked: Refusal = {
  kind: "dependency-unavailable",
  component: "bucket",
  retryAfterMs: 1_000,
  detail: "whether an admin's credential is revoked can't be asked",
};

/** Door ▸ who is calling. Awaits nothing if memory has the policy and the credential. */
async function identify(
  call: PublicCall,
): Promise<Result<{ readonly identity: Identity; readonly passed: Screening }, Refusal>> {
  const { c, scope, isolate } = call;
  const screening = passDoor(call);
  if (!(screening instanceof Promise) && screening.refusal !== null) return err(screening.refusal);
  // A new isolate reads both from KV: at once, not one after the other.
  const identifying = isolate.identify(c.req.header("authorization") ?? socketCredential(c.req.raw.headers), {
    host: hostNameOf(c.req.header("host") ?? ""),
    address: () => c.req.raw.headers.get("cf-connecting-ip"),
    waitMs: () => isolate.firewall.credentialWaitMs(c.req.raw.headers),
    background: scope.background,
  });
  const passed = screening instanceof Promise ? await screening : screening;
  if (passed.refusal !== null) return err(passed.refusal);
  if (identifying instanceof Promise || !identifying.ok) {
    const refusal = await (identifying instanceof Promise ? passHeaders(call) : passStranger(call));
    if (refusal !== null) return err(refusal);
  }
  const identified = identifying instanceof Promise ? await identifying : identifying;
  scope.mark("identify");
  return identified.ok
    ? ok({ identity: identified.value, passed })
    : err(await turnAway(call, identified.error));
}

async function orFailed(call: PublicCall, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    return respondFailure(call, error);
  }
}

function open(c: EdgeContext, endpoint: string): PublicCall {
  const isolate = isolateOf(c.env);
  const background: Background = {
    run: (name, work) =>
      c.executionCtx.waitUntil(work.catch((error: unknown) => isolate.report(name, describe(error)))),
  };
  const { headers } = c.req.raw;
  const scope = new RequestScope({
    endpoint,
    method: c.req.method,
    correlation: correlate(
      {
        requestId: headers.get("x-request-id"),
        correlationId: headers.get("x-correlation-id"),
        traceparent: headers.get("traceparent"),
      },
      randomHex,
    ),
    background,
    clock: isolate.now,
    emit: (record, under) => emit(isolate, record, under),
  });
  return { c, scope, isolate };
}

function emit(isolate: Isolate, record: RequestRecord, background: Background): void {
  isolate.log.add(logLine(record), background, isolate.now());
  isolate.metrics.record(record, background);
}

/** An exception is a broken invariant, or a part that can't be reached: 500 or 503 for the client, all details for the operator. */
export function respondFailure({ scope, isolate }: PublicCall, error: unknown): Response {
  if (error instanceof Unreachable) {
    const { component, message: detail } = error;
    isolate.report(component, detail);
    return respondRefusal(scope, { kind: "dependency-unavailable", component, retryAfterMs: 1_000, detail });
  }
  isolate.report(scope.record.endpoint, describe(error));
  return respondRefusal(scope, {
    kind: "internal",
    detail: error instanceof Error ? error.name : "thrown value",
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
