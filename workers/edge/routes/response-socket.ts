/** `GET /v1/responses` with `Upgrade: websocket`: a socket of its own Session object. */
import { sessionStub } from "../../../durable-objects/session/session-stub.ts";
import { openingHeader, type SessionOpening, sessionVersion } from "../../../src/shared/contracts/session.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { allowsOrigin } from "../../../src/shared/firewall/cors.ts";
import { revokedCredential } from "../../../src/shared/limits/revocation.ts";
import { chosenProtocol, isUpgrade } from "../../../src/shared/sessions/socket-credential.ts";
import { socketLimits } from "../../../src/shared/sessions/socket-limits.ts";
import { serialPrincipal } from "../../../src/shared/turn/durable/turn-request.ts";
import { mintId } from "../../../src/shared/turn/response-id.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { placeOf } from "../place.ts";
import { baseHeaders, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

export const openResponseSocket: TenantHandler = async (call) => {
  const { c, scope, tenant, principal, isolate } = call;
  const { headers, url } = c.req.raw;
  if (!isUpgrade(headers))
    return respondRefusal(scope, { kind: "method-not-allowed", allow: ["POST"], upgrade: "websocket" });
  // Browsers send sockets anywhere, whatever CORS says: it is the server that must look.
  const origin = headers.get("origin");
  if (origin !== null && !allowsOrigin(tenant.cors, origin, headers.get("host") ?? ""))
    return respondRefusal(scope, { kind: "blocked", rule: "origin of a socket" });
  const { objectName: session } = await mintId(isolate.hash, {
    kind: "response",
    owner: ownerOf(call),
    jurisdiction: tenant.jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const opening: SessionOpening = {
    v: sessionVersion,
    session,
    requestId: scope.correlation.requestId,
    tenant: tenant.id,
    jurisdiction: tenant.jurisdiction,
    principal: serialPrincipal(principal),
    place: placeOf(c.req.raw),
    protocol: chosenProtocol(headers),
    maxMessageUnits: tenant.requests.max_body_bytes,
    untilMs: Math.min(principal.expiresAtMs, scope.startedMs + socketLimits.lifeMs),
  };
  const opened = await open(call, opening, url);
  scope.mark("object");
  if (opened.webSocket === null) return respondRefusal(scope, refusalOf(opened.status, call));
  scope.record.status = 101;
  scope.finish();
  return new Response(null, {
    status: 101,
    webSocket: opened.webSocket,
    headers: {
      ...baseHeaders(scope),
      ...(opening.protocol === null ? {} : { "sec-websocket-protocol": opening.protocol }),
    },
  });
};

/** A new object each time, so that a failure is told and never tried again: nothing of it would be found out. */
async function open(
  { isolate }: TenantCall,
  opening: SessionOpening,
  url: string,
): Promise<{ readonly status: number; readonly webSocket: WebSocket | null }> {
  try {
    return await sessionStub(isolate.env, opening).fetch(url, {
      headers: { upgrade: "websocket", [openingHeader]: encodeURIComponent(JSON.stringify(opening)) },
    });
  } catch (error) {
    isolate.report("session", String(error));
    return { status: 503, webSocket: null };
  }
}

function refusalOf(status: number, { principal }: TenantCall): Refusal {
  switch (status) {
    case 401:
      return revokedCredential(principal);
    case 429:
      return { kind: "conflict", message: "Too many sockets are open for this user or org. Close some." };
    default:
      return {
        kind: "dependency-unavailable",
        component: "session",
        retryAfterMs: 1000,
        detail: `status ${status}`,
      };
  }
}
