/** Erases a stored answer's content from the archive, before its object deletes it: a repeated deletion may find no object any more. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { type IdKind, verifyId } from "../../src/shared/turn/response-id.ts";
import type { TenantCall } from "./handle.ts";
import { ownerOf } from "./run-durable.ts";

/**
 * Does nothing if the id is not the caller's own.
 *
 * @returns why it could not be erased: the caller tries again, and nothing is forgotten yet
 */
export async function eraseFromArchive(call: TenantCall, kind: IdKind, id: string): Promise<Refusal | null> {
  const { isolate, tenant } = call;
  if (!isolate.archive.isOn) return null;
  const verified = await verifyId(isolate.hash, id, ownerOf(call));
  if (verified?.kind !== kind) return null;
  const key = { kind: "response", tenant: tenant.id, responseId: id } as const;
  const outcome = await isolate.archive.erase(key, isolate.now());
  return outcome.result === "unreachable"
    ? { kind: "dependency-unavailable", component: "archive", retryAfterMs: 1000, detail: outcome.detail }
    : null;
}
