/**
 * What becomes of a line of a batch that was refused? `wait`: nothing was generated or charged, and later it may be; it is asked again
 * until the batch's time is over. `again`: an answer broke off, and a few more are tried. `fail`: the same request will never be
 * answered. `stop`: no request of this batch ever will.
 */
import type { Refusal } from "../contracts/refusal.ts";

export type LineFate =
  | { readonly kind: "wait"; readonly retryAfterMs: number }
  | { readonly kind: "again" }
  | { readonly kind: "fail" }
  | { readonly kind: "stop" };

const fail = { kind: "fail" } as const;
const again = { kind: "again" } as const;
const stop = { kind: "stop" } as const;

export function lineFate(refusal: Refusal): LineFate {
  switch (refusal.kind) {
    case "limited": {
      // What no refill makes room for is larger than the limit itself.
      const { retryAfterMs } = refusal.limit;
      return Number.isFinite(retryAfterMs) ? { kind: "wait", retryAfterMs } : fail;
    }
    case "overloaded":
    case "origin-unavailable":
    case "dependency-unavailable":
    case "address-limited":
      return { kind: "wait", retryAfterMs: refusal.retryAfterMs };
    case "client-gone":
    case "internal":
    case "idempotency-reused":
      return again;
    case "credential-missing":
    case "credential-invalid":
    case "scope-missing":
    case "signature-invalid":
    case "blocked":
      return stop;
    case "url-too-long":
    case "url-invalid":
    case "headers-too-large":
    case "route-unknown":
    case "method-not-allowed":
    case "media-type-unsupported":
    case "body-too-large":
    case "json-invalid":
    case "value-invalid":
    case "parameter-unknown":
    case "parameter-unsupported":
    case "model-unknown":
    case "object-unknown":
    case "context-too-long":
    case "conflict":
    case "not-stored":
    case "content-refused":
    case "origin-rejected":
    case "deadline-exceeded":
      return fail;
  }
}
