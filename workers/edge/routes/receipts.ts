/** Usage receipts: of a durable turn by its id, and the key that verifies them all. */
import type { ReceiptClaims } from "../../../src/shared/receipts/receipt.ts";
import { kindOf } from "../../../src/shared/turn/response-id.ts";
import type { PublicHandler, TenantHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { retrieveTurn } from "../stored-turn.ts";

/**
 * `GET /v1/usage/receipts/{id}`: kept with the turn, signed anew each time to the same bytes. Another's, an unknown one, a direct
 * turn's (which is in its answer alone) and one of a tenant that wants none are the same 404.
 */
export const showReceipt: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const id = call.c.req.param("id") ?? "";
  const kind = kindOf(id);
  if (kind === null || kind === "conversation") return respondRefusal(scope, { kind: "object-unknown" });
  const retrieved = await retrieveTurn(call, kind, id);
  if (!retrieved.ok) return respondRefusal(scope, retrieved.error);
  const outcome = retrieved.value;
  if (outcome.result === "running")
    return respondRefusal(scope, {
      kind: "conflict",
      message: "This answer is still being written. Its receipt comes with its end.",
    });
  if (typeof outcome.receipt !== "string") return respondRefusal(scope, { kind: "object-unknown" });
  const claims = JSON.parse(outcome.receipt) as ReceiptClaims;
  return respondJson(scope, {
    id,
    object: "usage.receipt",
    receipt: await isolate.receipts.sign(claims),
    claims,
  });
};

/** `GET /.well-known/edgewise-receipts.json`: a JWK set (RFC 7517). */
export const showReceiptKeys: PublicHandler = async ({ isolate, scope }) =>
  respondJson(
    scope,
    { keys: [await isolate.receipts.publicKey()] },
    { "cache-control": "public, max-age=3600", "access-control-allow-origin": "*" },
  );
