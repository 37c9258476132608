/** What a Session object runs with: turns started as a request would start them, and the buckets that tell of revocations. */
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import type {
  SessionParts,
  SessionTurn,
  StartRefused,
  TurnOfSession,
} from "../../durable-objects/session/session-parts.ts";
import { callObject } from "../../durable-objects/storage/call-object.ts";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { type SessionOpening, sessionVersion } from "../../src/shared/contracts/session.ts";
import { isStillGranted } from "../../src/shared/identity/still-granted.ts";
import { bucketName, type LimitScope } from "../../src/shared/limits/bucket-name.ts";
import { askedResponseRefusal } from "../../src/shared/responses/response-refusal.ts";
import { revokedCredential } from "../../src/shared/limits/revocation.ts";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { correlate, randomHex } from "../../src/shared/telemetry/correlation.ts";
import { logLine } from "../../src/shared/telemetry/request-record.ts";
import { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";
import { turnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { revivePrincipal } from "../../src/shared/turn/durable/turn-request.ts";
import { conversationOf, type SentResponseRequest } from "../../src/shared/wire/responses-request.ts";
import { createResponse } from "./create-response.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { judgedRequest } from "./judged-request.ts";
import type { TurnContext } from "./start-turn.ts";
import { askTurn } from "./stored-turn.ts";

const buckets: readonly (readonly [LimitScope, number])[] = [
  ["user", socketLimits.perUser],
  ["org", socketLimits.perOrg],
];

export function sessionParts(env: Cloudflare.Env, context: DurableObjectState): SessionParts {
  const isolate = isolateOf(env);
  const background = backgroundOf(context, isolate.report);
  const bucket = (opening: SessionOpening, scope: LimitScope) => {
    const name = bucketName(opening.tenant, scope, opening.principal[scope]);
    const address = { name, jurisdiction: opening.jurisdiction };
    return bucketStub(env.TOKEN_BUCKET, address, env.ENVIRONMENT === "production");
  };
  const askerOf = async (opening: SessionOpening) => {
    const tenant = await tenantOf(isolate, background, opening);
    if (!tenant.ok) return null;
    return { isolate, tenant: tenant.value, principal: revivePrincipal(opening.principal) };
  };
  return {
    start: (opening, turn) => start(isolate, background, opening, turn),
    hold: async (opening, id) => {
      const asker = await askerOf(opening);
      if (asker === null) return;
      const { untilMs } = opening;
      const held = await askTurn(asker, "response", id, async (stub, message) =>
        stub.hold({ ...message, untilMs }),
      );
      // It stays for a minute in any case.
      if (!held.ok && held.error.kind !== "object-unknown")
        isolate.report("session", "a response could not be held");
    },
    prune: async (opening, id) => {
      const asker = await askerOf(opening);
      if (asker === null) return;
      const pruned = await askTurn(asker, "response", id, async (stub, message) => stub.delete(message));
      // It goes by itself when the socket's time is over.
      if (!pruned.ok && pruned.error.kind !== "object-unknown")
        isolate.report("session", "a response could not be pruned");
    },
    register: async (opening) => {
      const { session, jurisdiction, untilMs, principal } = opening;
      const message = {
        v: sessionVersion,
        session,
        jurisdiction,
        untilMs,
        issuedAtMs: principal.issuedAtMs,
        keyId: principal.key?.id ?? null,
      } as const;
      const asked = await Promise.all(
        buckets.map(([scope, most]) =>
          callObject(async () => bucket(opening, scope).openSocket(message, most)),
        ),
      );
      for (const wanted of ["revoked", "full"] as const)
        if (asked.some((one) => one.ok && one.value.result === wanted)) return wanted;
      return asked.every((one) => one.ok) ? "open" : "unreachable";
    },
    unregister: async (opening) => {
      const message = { v: sessionVersion, session: opening.session } as const;
      await Promise.all(
        buckets.map(([scope]) => callObject(async () => bucket(opening, scope).closeSocket(message))),
      );
    },
    report: isolate.report,
  };
}

/** The tenant as configured now: a socket outlives a configuration. */
async function tenantOf(
  isolate: Isolate,
  background: Background,
  { tenant }: SessionOpening,
): Promise<Result<TenantConfig, Refusal | "gone">> {
  const id = tenantIdSchema.safeParse(tenant);
  const found = id.success ? await isolate.tenants.byId(id.data, background) : ok(null);
  if (!found.ok) return found;
  return found.value === null ? err("gone") : ok(found.value);
}

/** A message is authorised as a request is: by the tenant as it is now, and by the buckets, which know of revocations. */
async function start(
  isolate: Isolate,
  background: Background,
  opening: SessionOpening,
  { event, text }: TurnOfSession,
): Promise<Result<SessionTurn, StartRefused>> {
  const tenant = await tenantOf(isolate, background, opening);
  if (!tenant.ok && tenant.error === "gone") return err({ kind: "tenant-gone" });
  const scope = new RequestScope({
    endpoint: `/v1/responses#${event.type}`,
    method: "WEBSOCKET",
    correlation: correlate({ requestId: null, correlationId: null, traceparent: null }, randomHex),
    background,
    clock: isolate.now,
    emit: (record, under) => {
      isolate.log.add(logLine(record), under, isolate.now());
      isolate.metrics.record(record, under);
    },
  });
  const { record } = scope;
  record.tenant = opening.tenant;
  record.org = opening.principal.org;
  record.tier = opening.principal.tier;
  const refuse = (refusal: Refusal): Result<never, StartRefused> => {
    scope.refuse(refusal);
    scope.finish();
    return err({ kind: "refused", refusal, requestId: scope.correlation.requestId });
  };
  if (!tenant.ok) return refuse(tenant.error === "gone" ? { kind: "object-unknown" } : tenant.error);
  const sender = { isolate, principal: revivePrincipal(opening.principal), tenant: tenant.value };
  if (!isStillGranted(sender.principal, sender.tenant))
    return refuse({ ...revokedCredential(sender.principal), detail: "its tenant grants it no more" });
  const judged = judgedRequest(sender, background);
  const from: TurnContext = {
    ...sender,
    place: opening.place,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    startedMs: scope.startedMs,
    judged,
  };
  const started =
    event.type === "create" ? await create(from, event.request, text, scope) : await resume(from, event);
  if (!started.ok) {
    const { requestId } = scope.correlation;
    if (toWireError(started.error, { requestId, method: record.method }).status < 500) judged.inVain();
    return refuse(started.error);
  }
  record.status = 200;
  scope.finish();
  return started;
}

async function create(
  from: TurnContext,
  request: SentResponseRequest,
  text: string,
  { record }: RequestScope,
): Promise<Result<SessionTurn, Refusal>> {
  const claim = await turnClaim(from.isolate.hash, from.tenant, null, text, conversationOf(request));
  if (!claim.ok) return claim;
  const created = await createResponse(from, request, claim.value, {
    kind: "stream",
    read: { from: 0, ids: false },
  });
  if (!created.ok) return err(askedResponseRefusal(created.error, request));
  const { started, findings } = created.value;
  if (findings !== null) record.screened = findings;
  const { outcome, responseId } = started;
  switch (outcome.result) {
    case "stream":
      return ok({ responseId, kept: request.store !== false, stream: outcome.stream });
    case "refused":
      return err(askedResponseRefusal(outcome.refusal, request));
    case "ended":
    case "claimed":
      return err({
        kind: "conflict",
        message: `This was asked before, and its events are gone. The answer is at /v1/responses/${responseId}.`,
      });
  }
}

async function resume(
  from: TurnContext,
  { responseId, from: position }: Extract<TurnOfSession["event"], { type: "resume" }>,
): Promise<Result<SessionTurn, Refusal>> {
  const read = await askTurn(from, "response", responseId, async (stub, message) =>
    stub.read({ ...message, read: { from: position, ids: false } }),
  );
  if (!read.ok) return read;
  switch (read.value.result) {
    case "stream":
      // The request that created it said whether it is stored.
      return ok({ responseId, kept: true, stream: read.value.stream });
    case "position-unknown":
      return err({
        kind: "value-invalid",
        param: "starting_after",
        message: "'starting_after' is beyond the last event of this response.",
      });
    case "pruned":
      return err({ kind: "object-unknown" });
  }
}
