/** `OPTIONS /v1/*`: a browser asks whether a page of another origin may send its request. No credential comes with it. */
import { preflight } from "../door.ts";
import type { PublicHandler } from "../handle.ts";
import { baseHeaders } from "../respond.ts";

/** `otherwise`: for what is no preflight, or of an origin that this hostname's tenant does not allow. */
export function answerPreflight(otherwise: PublicHandler): PublicHandler {
  return async (call) => {
    const { c, scope } = call;
    if (c.req.method !== "OPTIONS" || !c.req.path.startsWith("/v1/")) return otherwise(call);
    const headers = await preflight(call);
    if (headers === null) return otherwise(call);
    scope.record.endpoint = "preflight";
    scope.record.status = 204;
    scope.finish();
    return new Response(null, { status: 204, headers: { ...baseHeaders(scope), ...headers } });
  };
}
