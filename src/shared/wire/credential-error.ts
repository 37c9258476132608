/** The error for an insufficient credential, scope or signature. It does not say why a credential failed: that would help to forge the next one. */
import type { Refusal } from "../contracts/refusal.ts";
import { acceptSignature, challenge } from "./challenge.ts";
import { echoedText } from "./echoed-text.ts";
import { wire, type WireError } from "./wire-error.ts";

type CredentialRefusal = Extract<
  Refusal,
  { kind: "credential-missing" | "credential-invalid" | "scope-missing" | "signature-invalid" }
>;

/** The longest scope that a message repeats. */
const maxScopeCharacters = 128;

const missing =
  "No credential was sent. Send it in the header 'Authorization: Bearer <token or API key>', or set apiKey in your client.";
const unreadable =
  "The Authorization header can't be read. It must be 'Authorization: Bearer <token or API key>': this scheme, a blank, and the credential as it was given to you.";
const unset =
  "The credential is a variable without a value ('undefined', 'null', '$NAME'). Set it where your program runs; in a shell, double quotes fill it in and single ones don't.";
const invalidSignature =
  "This request must be signed as RFC 9421 has it, and its signature is missing, wrong, too old or used before. Sign it anew, with a new nonce.";
const invalidToken =
  "The token is not valid here: it may be expired, malformed or from an issuer that this service does not know. Get a new one.";
const invalidKey = "The API key is not valid. Check that it is complete and has not been revoked.";

export function credentialError(refusal: CredentialRefusal): WireError {
  switch (refusal.kind) {
    case "credential-missing":
      return unauthorized("invalid_api_key", missing, challenge());
    case "credential-invalid":
      return invalidCredential(refusal.credential);
    case "scope-missing":
      return wire(
        403,
        "invalid_request_error",
        "insufficient_scope",
        null,
        scopeMissing(refusal.scope),
        challenge("insufficient_scope", refusal.scope),
      );
    case "signature-invalid":
      return unauthorized("invalid_signature", invalidSignature, {
        ...challenge("invalid_token"),
        "accept-signature": acceptSignature,
      });
  }
}

function invalidCredential(
  credential: Extract<CredentialRefusal, { credential: string }>["credential"],
): WireError {
  switch (credential) {
    case "token":
      return unauthorized("invalid_token", invalidToken, challenge("invalid_token"));
    case "key":
      return unauthorized("invalid_api_key", invalidKey, challenge("invalid_token"));
    case "form":
      return unauthorized("invalid_api_key", unreadable, challenge());
    case "unset":
      return unauthorized("invalid_api_key", unset, challenge());
  }
}

function unauthorized(code: string, message: string, headers: Readonly<Record<string, string>>): WireError {
  return wire(401, "invalid_request_error", code, null, message, headers);
}

function scopeMissing(scopes: string): string {
  if (scopes === "tenant")
    return "This credential is the platform's own and belongs to no tenant. Use a tenant's token or API key here.";
  const names = scopes.split(" ").map((scope) => `'${echoedText(scope, maxScopeCharacters)}'`);
  return `This credential lacks the scope ${names.join(" or ")}. Ask whoever issued it for that scope, then use the new credential.`;
}
