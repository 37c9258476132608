/**
 * Which pages of other origins may read our answers (the Fetch standard's CORS)?
 *
 * A preflight carries no credential, so its tenant is unknown on a shared hostname. There it is answered for every
 * origin: it only lets the page *send* a request with a credential that the page itself must hold (cookies are never
 * allowed). Whether the page may *read* the answer is decided on the answer, where the tenant is known. On a tenant's own
 * hostname the tenant's list decides both.
 */
import * as z from "zod";

const origin = z.lazy(() =>
  z.union([
    z.literal("*"),
    z
      .string()
      .max(256)
      .refine((text) => URL.parse(text)?.origin === text, "is no origin such as https://app.example.com"),
  ]),
);

export const corsPolicySchema = z.lazy(() =>
  z.strictObject({
    /** Exactly as browsers send them, or `*`. */
    origins: z.array(origin).max(200).default([]),
  }),
);
export type CorsPolicy = z.infer<typeof corsPolicySchema>;

/** `none`: only the origin that the API itself is served from. `any`: no tenant's policy applies yet. */
export type CorsScope = CorsPolicy | "any" | "none";

/** What a client library may need of an answer. Without this list a page sees the body alone. */
const exposed =
  "x-request-id, traceparent, retry-after, retry-after-ms, x-should-retry, x-edgewise-response-id, x-edgewise-route, server-timing, cache-status, " +
  "www-authenticate, accept-signature, allow, content-disposition, " +
  "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-window-requests, " +
  "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, x-ratelimit-window-tokens";

/** Browsers cap it at two hours or less. */
const preflightSeconds = 7200;

export function allowsOrigin(policy: CorsScope, origin: string, host: string): boolean {
  if (policy === "any") return true;
  // The chat page's own calls carry an origin, too.
  if (URL.parse(origin)?.host === host) return true;
  return policy !== "none" && (policy.origins.includes(origin) || policy.origins.includes("*"));
}

/** For the answer itself, lower-case names. `null`: the page may not read it. */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  // The origin, not `*`: one form for every browser, and caches keep answers for different origins apart.
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
    vary: "Origin",
  };
}

export interface Preflight {
  readonly origin: string;
  /** `Access-Control-Request-Headers`, as it came. */
  readonly requestedHeaders: string | null;
}

/** Names as RFC 9110 has them, a bounded number: nothing else is repeated to a client. */
const headerNames = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}(?:\s?,\s?[a-z0-9!#$%&'*+.^_`|~-]{1,64}){0,63}$/i;

export function preflightHeaders({ origin, requestedHeaders }: Preflight): Readonly<Record<string, string>> {
  const mayRepeat = requestedHeaders !== null && headerNames.test(requestedHeaders);
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, POST, DELETE",
    // Client libraries send headers of their own (`x-stainless-…`); none of them means anything to us, so all may be sent.
    "access-control-allow-headers": mayRepeat ? requestedHeaders : "authorization, content-type",
    "access-control-max-age": String(preflightSeconds),
    vary: "Origin, Access-Control-Request-Headers",
  };
}
