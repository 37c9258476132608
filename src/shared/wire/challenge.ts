/** Which credential and which signature do the headers of a 401 or 403 ask for? */

/** RFC 9421, section 5.1: what a signature must cover and contain. */
export const acceptSignature =
  'edgewise=("@method" "@authority" "@path" "@query" "content-digest");created;nonce;keyid;alg';

/**
 * RFC 6750, section 3: no error code if no credential came, or one of another scheme. The reason why a credential failed is kept secret: it
 * would help to forge the next one.
 */
export function challenge(
  error?: "invalid_token" | "insufficient_scope",
  scope?: string,
): Record<string, string> {
  let value = 'Bearer realm="edgewise"';
  if (error !== undefined) value += `, error="${error}"`;
  // RFC 6749, section 3.3: a scope contains neither quotes nor backslashes.
  if (scope !== undefined) value += `, scope="${scope.replace(/[^\x21\x23-\x5b\x5d-\x7e ]/g, "")}"`;
  return { "www-authenticate": value };
}
