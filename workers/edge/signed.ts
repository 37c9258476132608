/** Is this request signed as its tenant asks (docs/signing.md)? After its caller is identified, before its body is used. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Verified } from "../../src/shared/signing/verify-request.ts";
import { verifyRequest } from "../../src/shared/signing/verify-request.ts";
import type { PublicCall } from "./handle.ts";
import { readBytes } from "./read-body.ts";

/**
 * Null: it may go on. Reads the body, since the signature covers its digest, and puts it back: handlers read the request as
 * if nothing had been read.
 */
export async function checkSignature(call: PublicCall, tenant: TenantConfig): Promise<Refusal | null> {
  const { c, isolate } = call;
  const request = c.req.raw;
  let unread: Refusal | null = null;
  const verified = await verifyRequest(
    {
      method: request.method,
      url: request.url,
      field: (name) => request.headers.get(name),
      body: async () => {
        const read = await readBytes(request, tenant.requests.max_body_bytes);
        if (!read.ok) {
          unread = read.error;
          return null;
        }
        // A body of these methods is never read, and a `Request` must not carry one.
        if (request.body !== null && request.method !== "GET" && request.method !== "HEAD")
          c.req.raw = new Request(request, { method: request.method, body: read.value });
        return read.value;
      },
    },
    tenant.signing,
    (key) => isolate.signatureKeys.get(key),
    isolate.now(),
  );
  if (verified === null)
    return tenant.signing.policy === "required"
      ? { kind: "signature-invalid", detail: "it is missing" }
      : null;
  if (verified.ok) return useNonce(call, tenant, verified.value);
  return verified.error.kind === "invalid"
    ? { kind: "signature-invalid", detail: verified.error.detail }
    : (unread ?? { kind: "internal", detail: "a body was not read, without a reason" });
}

async function useNonce(
  { isolate }: PublicCall,
  { id, jurisdiction }: TenantConfig,
  verified: Verified,
): Promise<Refusal | null> {
  try {
    const use = await isolate.nonces.remember({ tenant: id, jurisdiction, ...verified });
    if (use === "new") return null;
    const detail = use === "seen" ? "its nonce was used before" : "it ended before its body had come";
    return { kind: "signature-invalid", detail };
  } catch (error) {
    // Fails closed: without the ledger this could be a replay.
    return {
      kind: "dependency-unavailable",
      component: "nonce-ledger",
      retryAfterMs: 1_000,
      detail: String(error),
    };
  }
}
