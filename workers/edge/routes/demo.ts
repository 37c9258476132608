/** One-click sign-in for the chat page on a laptop: a token for the demo tenant. It does not exist in production. */
import { SignJWT } from "jose";
import demo from "../../../config/tenants/demo.json";
import { randomHex } from "../../../src/shared/telemetry/correlation.ts";
import type { PublicHandler } from "../handle.ts";
import type { Isolate } from "../isolate.ts";
import { respondJson, respondRefusal } from "../respond.ts";

/** Long enough for a demonstration, short enough to be forgotten. */
const sessionSeconds = 8 * 3600;

function demoSecret(isolate: Isolate): string | null {
  return isolate.env.ENVIRONMENT === "local" ? (isolate.env.DEMO_JWT_SECRET ?? null) : null;
}

/** `GET /demo/session`: is there such a thing here? */
export const offersDemo: PublicHandler = ({ scope, isolate }) =>
  demoSecret(isolate) === null
    ? respondRefusal(scope, { kind: "route-unknown" })
    : respondJson(scope, { demo: true });

/** `POST /demo/session`: a new user of the demo tenant, and its token. */
export const startDemo: PublicHandler = async ({ c, scope, isolate }) => {
  const secret = demoSecret(isolate);
  if (secret === null) return respondRefusal(scope, { kind: "route-unknown" });
  if (isFromElsewhere(c.req.raw.headers)) return respondRefusal(scope, { kind: "route-unknown" });
  const issuer = demo.issuers[0];
  if (issuer === undefined) return respondRefusal(scope, { kind: "route-unknown" });
  const user = `guest-${randomHex(4)}`;
  const nowSeconds = Math.floor(isolate.now() / 1000);
  const token = await new SignJWT({ tier: "pro" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuer.issuer)
    .setAudience(issuer.audience)
    .setSubject(user)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + sessionSeconds)
    .sign(new TextEncoder().encode(secret));
  return respondJson(scope, { token, user });
};

/**
 * A page from elsewhere must not sign its visitor in here. Browsers say so by `Sec-Fetch-Site`, but not to a host that is
 * reached over plain HTTP in a network; there its origin tells it.
 */
function isFromElsewhere(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  return origin !== null && URL.parse(origin)?.host !== headers.get("host");
}
