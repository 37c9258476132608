/** The three header fields that sign a request, for every sender: the edge to an origin, `npm run sign`, tests. */
import { contentDigest } from "./content-digest.ts";
import { signatureBase } from "./signature-base.ts";
import { webCryptoName } from "./signature-key.ts";
import type { SignatureAlgorithm } from "./signing-policy.ts";
import { encodeBase64, serializeList, type BareItem, type Item } from "./structured-fields.ts";
import { requiredComponents } from "./verify-request.ts";

export interface SigningIdentity {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  /** For `sign`. */
  readonly key: CryptoKey;
}

export interface RequestToSign {
  readonly method: string;
  readonly url: string;
  readonly body: BufferSource;
  /** Fields to cover beside the required ones, by lower-case name, such as `authorization`. */
  readonly covered?: Readonly<Record<string, string>>;
}

export interface SigningMoment {
  readonly nowMs: number;
  /** Never used before with this key: 16 random bytes will do. */
  readonly nonce: string;
  readonly expiresInSeconds?: number;
}

/** A label has no meaning; this one is ours. */
const label = "edgewise";

export type SignatureFields = Readonly<Record<"content-digest" | "signature-input" | "signature", string>>;

export async function signRequest(
  request: RequestToSign,
  identity: SigningIdentity,
  { nowMs, nonce, expiresInSeconds }: SigningMoment,
): Promise<SignatureFields> {
  const digest = await contentDigest(request.body);
  const { covered = {} } = request;
  const created = Math.floor(nowMs / 1000);
  const items = [...requiredComponents, ...Object.keys(covered)].map<Item>((name) => ({
    value: { type: "string", value: name },
    parameters: new Map(),
  }));
  const parameters = new Map<string, BareItem>([
    ["created", { type: "integer", value: created }],
    ["nonce", { type: "string", value: nonce }],
    ["keyid", { type: "string", value: identity.keyId }],
    ["alg", { type: "string", value: identity.algorithm }],
  ]);
  if (expiresInSeconds !== undefined)
    parameters.set("expires", { type: "integer", value: created + expiresInSeconds });
  const base = signatureBase(
    {
      method: request.method,
      url: request.url,
      field: (name) => (name === "content-digest" ? digest : (covered[name] ?? null)),
    },
    { items, parameters },
  );
  if (base === null) throw new TypeError("a covered component has no value");
  const bytes = new TextEncoder().encode(base);
  const signature = await crypto.subtle.sign(webCryptoName(identity.algorithm), identity.key, bytes);
  return {
    "content-digest": digest,
    "signature-input": `${label}=${serializeList(items, parameters)}`,
    signature: `${label}=:${encodeBase64(new Uint8Array(signature))}:`,
  };
}
