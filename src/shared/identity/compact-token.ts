import { err, ok, type Result } from "../contracts/result.ts";
import { repeatsMember } from "./json-members.ts";
import { decodedBytes, isBase64url } from "./public-key.ts";

/**
 * Is this a JWT in its one strict form, and what does it say of itself? Nothing in it is trusted yet. Three parts of
 * canonical base64url (a JWE has five), JSON objects in UTF-8 without a repeated member, and a header that asks for
 * nothing that we don't do (RFC 7515, RFC 7519, RFC 8725).
 */
export const maxTokenChars = 8192;

export interface CompactToken {
  readonly text: string;
  readonly header: TokenHeader;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Header members that bring or point at a key, or change what is signed. Keys come from configuration alone. */
const refusedMembers = ["crit", "b64", "jku", "jwk", "x5u", "x5c", "cty", "zip", "enc"] as const;

const tokenTypes = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);

export function readCompactToken(text: string): Result<CompactToken, string> {
  if (text.length > maxTokenChars) return err("token too long");
  const parts = text.split(".", 4);
  const [headerPart, payloadPart, signaturePart] = parts;
  if (
    parts.length !== 3 ||
    !headerPart ||
    !payloadPart ||
    !signaturePart ||
    !isBase64url(headerPart) ||
    !isBase64url(payloadPart) ||
    !isBase64url(signaturePart)
  )
    return err("not three parts of base64url");
  const header = readObject(headerPart);
  if (header === null) return err("header is no JSON object");
  const claims = readObject(payloadPart);
  if (claims === null) return err("payload is no JSON object");
  for (const member of refusedMembers) if (Object.hasOwn(header, member)) return err(`header has ${member}`);
  const { alg, kid, typ } = header;
  if (typeof alg !== "string") return err("header has no alg");
  if (kid !== undefined && (typeof kid !== "string" || kid === "" || kid.length > 256))
    return err("header has an odd kid");
  if (typ !== undefined && (typeof typ !== "string" || !tokenTypes.has(typ.toLowerCase())))
    return err("header has another typ");
  return ok({ text, header: { alg, kid }, claims });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readObject(part: string): Record<string, unknown> | null {
  const bytes = decodedBytes(part);
  if (bytes === null) return null;
  try {
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return repeatsMember(text) ? null : (value as Record<string, unknown>);
  } catch {
    // Not UTF-8, or not JSON: the caller's fault, and said so by the null.
    return null;
  }
}
