/**
 * Which requests share one turn? Those with the same `Idempotency-Key` of one principal, or, if the tenant
 * wants it, with the same body: their turn's object is named by an HMAC, so that they meet in it wherever they arrive.
 */
import type { Refusal } from "../../contracts/refusal.ts";
import { err, ok, type Result } from "../../contracts/result.ts";
import type { Principal } from "../../identity/principal.ts";
import type { KeyedHash } from "../keyed-hash.ts";
import { mintId, type IdKind, type MintedId } from "../response-id.ts";
import type { TenantConfig } from "../../tenancy/tenant-config.ts";
import { invalidValue } from "../../wire/zod-refusal.ts";

export interface TurnClaim {
  /** What the requests have in common: a client's key, the body's hash (under `dedup` only if its answer is always the same), or a batch's line. */
  readonly by: "key" | "body" | "dedup" | "line";
  readonly text: string;
  /** HMAC of the body: the same key with another one is refused. */
  readonly fingerprint: string;
  /** After the turn's end: until then the same claim leads to it, and its journal can be replayed. */
  readonly keptMs: number;
}

/** Stripe keeps keys for at least as long. */
const keyKeptMs = 86_400_000;
/** Long enough for a client library's retries, short enough that the same question asked later is a new one. */
const bodyKeptMs = 600_000;
/** An answer that is always the same is shared for a moment after its end. */
const sharedKeptMs = 60_000;

/**
 * @param header `Idempotency-Key` as it came; `null` where it didn't
 * @param body the request's text, already validated: an invalid one claims nothing
 * @param mayShare the tenant wants equal requests to share an answer, and this one's is always the same
 * @returns `null`: a request of its own
 */
export function turnClaim(
  hash: KeyedHash,
  tenant: TenantConfig,
  header: string | null,
  body: string,
  conversationId: string | undefined,
  mayShare = false,
): Result<TurnClaim | null, Refusal> | Promise<Result<TurnClaim, Refusal>> {
  const fault = header === null ? null : idempotencyKeyFault(header);
  if (fault !== null) return err(fault);
  // In a conversation the same words ("go on") mean something else each time: only a key tells a retry apart.
  const byBody = tenant.requests.retry_attach && conversationId === undefined;
  // Most turns claim nothing and need not wait.
  if (header !== null) return claimed(hash, { key: header }, body);
  if (byBody) return claimed(hash, "body", body);
  return mayShare && conversationId === undefined ? claimed(hash, "dedup", body) : nothing;
}

const nothing = ok(null);

/** `null`: the key is usable. An empty or cut key could be another request's as well. */
export function idempotencyKeyFault(header: string): Refusal | null {
  return /^[\x21-\x7e]{1,255}$/.test(header)
    ? null
    : invalidValue("Idempotency-Key", "must be 1 to 255 visible ASCII characters");
}

const keptMs = { body: bodyKeptMs, dedup: sharedKeptMs } as const;

async function claimed(
  hash: KeyedHash,
  by: { readonly key: string } | "body" | "dedup",
  body: string,
): Promise<Result<TurnClaim, never>> {
  const fingerprint = hex(await hash.of("turn-body/1", body));
  return ok(
    typeof by === "string"
      ? { by, text: fingerprint, fingerprint, keptMs: keptMs[by] }
      : { by: "key", text: by.key, fingerprint, keptMs: keyKeptMs },
  );
}

/** For a batch's line, which is asked again after a kill. Its file never changes, so its place determines its body. */
export function lineClaim(text: string, keptMs: number): TurnClaim {
  return { by: "line", text, fingerprint: text, keptMs };
}

/**
 * The id and object of a claimed turn. The id holds no time, which a retry would not know.
 *
 * @param use 0, and one more each time that the object of the use before says `expired`
 */
export async function claimedId(
  hash: KeyedHash,
  kind: IdKind,
  claim: TurnClaim,
  use: number,
  { tenant, org, user }: Pick<Principal, "tenant" | "org" | "user">,
  jurisdiction: TenantConfig["jurisdiction"],
): Promise<MintedId> {
  const entropy = await hash.of("turn-claim/1", kind, claim.by, String(use), tenant, org, user, claim.text);
  return mintId(hash, { kind, owner: { tenant, user }, jurisdiction, nowMs: 0, entropy });
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
