/**
 * Was this request signed by a key of its tenant, completely, recently, and never seen before (RFC 9421)?
 *
 *   fields → key by id → covered components → times → signature → body's digest → nonce
 *
 * The nonce is checked last: only a holder of the key can use one up, and only with a request that is valid otherwise.
 */
import { err, ok, type Result } from "../contracts/result.ts";
import { checkContentDigest } from "./content-digest.ts";
import type { NonceUse } from "./ports.ts";
import { signatureBase, type SignedMessage } from "./signature-base.ts";
import { webCryptoName, type ReadyKey } from "./signature-key.ts";
import { longestWindowSeconds, type SigningKey, type SigningPolicy } from "./signing-policy.ts";
import { parseDictionary, type Member, type Parameters } from "./structured-fields.ts";

/** What every signature must cover. A client may cover more fields, and should cover `authorization`. */
export const requiredComponents = ["@method", "@authority", "@path", "@query", "content-digest"] as const;

/** Long enough to be unique by chance, short enough to be stored. */
export const nonceLength = { min: 16, max: 128 } as const;

export interface SignedRequest extends SignedMessage {
  readonly method: string;
  readonly url: string;
  /** The whole body; empty where there is none. Asked for only once the signature holds. */
  readonly body: () => Promise<BufferSource | null>;
}

export type SignatureFault =
  /** What is wrong, for the log. */
  | { readonly kind: "invalid"; readonly detail: string }
  /** The body could not be read: too large, or its sender has gone. The caller knows why. */
  | { readonly kind: "body-unread" };

/** What is left to do: the nonce must be new. */
export type Verified = Pick<NonceUse, "keyId" | "nonce" | "untilMs">;

/**
 * Null: the request carries no signature. Under `optional` also where all that it carries are by keys that this tenant does not know: a
 * client's own for somebody else, or of a proxy on the way. Whoever wants to pass for unsigned can leave his own out just as well.
 */
export async function verifyRequest(
  request: SignedRequest,
  policy: SigningPolicy,
  readyKey: (key: SigningKey) => Promise<ReadyKey | null>,
  nowMs: number,
): Promise<Result<Verified, SignatureFault> | null> {
  const inputs = request.field("signature-input");
  const signatures = request.field("signature");
  if (inputs === null && signatures === null) return null;
  const covered = parseDictionary(inputs ?? "");
  const signed = parseDictionary(signatures ?? "");
  if (covered === null || signed === null) return invalid("signature fields are malformed");
  const chosen = choose(covered, policy.keys);
  if (chosen === null)
    return policy.policy === "optional" && areOthers(covered, signed)
      ? null
      : invalid("no signature is by a key of this tenant");
  const { label, list, key } = chosen;
  const signature = signed.get(label);
  if (signature?.kind !== "item" || signature.value.type !== "bytes")
    return invalid("its signature is missing");
  const checked = checkParameters(list.parameters, key, policy, nowMs);
  if (!checked.ok) return invalid(checked.error);
  for (const component of requiredComponents)
    if (!list.items.some(({ value, parameters }) => value.value === component && parameters.size === 0))
      return invalid(`${component} is not covered`);
  const base = signatureBase(request, list);
  if (base === null) return invalid("a covered component is unknown or missing");
  const ready = await readyKey(key);
  if (ready === null) return invalid("its key is unusable");
  const bytes = new TextEncoder().encode(base);
  const holds = await crypto.subtle.verify(
    webCryptoName(ready.algorithm),
    ready.key,
    signature.value.value,
    bytes,
  );
  if (!holds) return invalid("signature is wrong");
  const body = await request.body();
  if (body === null) return err({ kind: "body-unread" });
  const digest = await checkContentDigest(request.field("content-digest") ?? "", body);
  return digest === "same" ? ok(checked.value) : invalid(`content-digest is ${digest}`);
}

interface Chosen {
  readonly label: string;
  readonly list: Member & { readonly kind: "list" };
  readonly key: SigningKey;
}

/** The first signature by a key that the tenant has; proxies on the way may have added theirs. */
function choose(covered: ReadonlyMap<string, Member>, keys: readonly SigningKey[]): Chosen | null {
  for (const [label, list] of covered) {
    if (list.kind !== "list") continue;
    const id = list.parameters.get("keyid");
    const key = id?.type === "string" ? keys.find((configured) => configured.id === id.value) : undefined;
    if (key !== undefined) return { label, list, key };
  }
  return null;
}

/** Whole signatures, each by a key that it names, of which none is this tenant's: what names no key may be meant for anybody. */
function areOthers(covered: ReadonlyMap<string, Member>, signed: ReadonlyMap<string, Member>): boolean {
  if (covered.size === 0 || covered.size !== signed.size) return false;
  for (const [label, list] of covered)
    if (list.kind !== "list" || list.parameters.get("keyid")?.type !== "string" || !signed.has(label))
      return false;
  return true;
}

/** RFC 9421, 2.3. An unknown parameter is signed like the others, and means nothing here. */
function checkParameters(
  parameters: Parameters,
  key: SigningKey,
  policy: SigningPolicy,
  nowMs: number,
): Result<Verified, string> {
  const algorithm = parameters.get("alg");
  if (algorithm?.type !== "string" || algorithm.value !== key.algorithm) return err("alg is not its key's");
  const created = parameters.get("created");
  if (created?.type !== "integer") return err("created is missing");
  const createdMs = created.value * 1000;
  const skewMs = policy.clock_skew_seconds * 1000;
  const endsMs = createdMs + policy.window_seconds * 1000;
  if (createdMs > nowMs + skewMs) return err("created is in the future");
  if (nowMs >= endsMs) return err("created is too long ago");
  const expires = parameters.get("expires");
  if (expires !== undefined) {
    if (expires.type !== "integer" || expires.value < created.value) return err("expires is malformed");
    if (nowMs >= expires.value * 1000) return err("it has expired");
  }
  const nonce = parameters.get("nonce");
  if (
    nonce?.type !== "string" ||
    nonce.value.length < nonceLength.min ||
    nonce.value.length > nonceLength.max
  )
    return err(`nonce is missing, or not of ${nonceLength.min} to ${nonceLength.max} characters`);
  return ok({ keyId: key.id, nonce: nonce.value, untilMs: createdMs + longestWindowSeconds * 1000 });
}

function invalid(detail: string) {
  return err<SignatureFault>({ kind: "invalid", detail });
}
