/** Is this the body that was signed? `Content-Digest` (RFC 9530): a signature covers the field, the field covers the bytes. */
import { encodeBase64, parseDictionary } from "./structured-fields.ts";

/** The active algorithms of RFC 9530's registry. Others in the field are ignored, as it asks. */
const algorithms = { "sha-256": "SHA-256", "sha-512": "SHA-512" } as const;

export type DigestVerdict = "same" | "different" | "malformed";

/** `same`: every digest of an algorithm that we know fits, and there is one. */
export async function checkContentDigest(field: string, body: BufferSource): Promise<DigestVerdict> {
  const members = parseDictionary(field);
  if (members === null) return "malformed";
  let checked = 0;
  for (const [name, algorithm] of Object.entries(algorithms)) {
    const member = members.get(name);
    if (member === undefined) continue;
    if (member.kind !== "item" || member.value.type !== "bytes") return "malformed";
    const digest = new Uint8Array(await crypto.subtle.digest(algorithm, body));
    if (!sameBytes(digest, member.value.value)) return "different";
    checked += 1;
  }
  return checked > 0 ? "same" : "malformed";
}

export async function contentDigest(body: BufferSource): Promise<string> {
  return `sha-256=:${encodeBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", body)))}:`;
}

/** A digest is no secret: its sender has the body. */
function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
