/** What does a credential tell about its user, and why did it not work for signing in? Only for display. */

/**
 * The token in pasted text, without additions from a header, a shell or a chat.
 * @returns `null`: it can't be sent at all (the browser would only report a lost connection)
 */
export function pastedToken(text: string): string | null {
  const token = text
    .replace(/^\s*(?:authorization:\s*)?bearer\s+/i, "")
    // A terminal adds line breaks, a chat invisible characters.
    .replaceAll(/[\s\u200b-\u200d\u2060\ufeff]+/g, "")
    .replace(/^(["'`])(.*)\1$/, "$2");
  return /^[\x21-\x7e]*$/.test(token) ? token : null;
}

/** The token's subject, unverified: only the server checks it. */
export function userOf(token: string): string {
  const { sub } = claimsOf(token);
  return typeof sub === "string" ? sub : "you";
}

/** Identifies the user: the same for all tokens of one user, different for others. */
export function whoIs(token: string): string {
  const { iss, aud, sub } = claimsOf(token);
  return typeof sub === "string" ? JSON.stringify([iss, aud, sub]) : token;
}

function claimsOf(token: string): { readonly iss?: unknown; readonly aud?: unknown; readonly sub?: unknown } {
  try {
    const base64 = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const payload: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof payload === "object" && payload !== null ? payload : {};
  } catch {
    // An opaque token (an API key) says nothing about its user.
    return {};
  }
}

/** @param status 0: there was no answer */
export function signInProblem(status: number): string {
  switch (status) {
    case 0:
      return "The server could not be reached. Check your connection and try again.";
    case 401:
      return "That token was not accepted. It may have expired: ask for a fresh one.";
    case 403:
      return "That credential may not chat here. Use a token or API key of your tenant's.";
    case 429:
      return "Too many requests. Wait a moment, then try again.";
    default:
      return "The service has trouble, which is not your token's fault. Try again in a moment.";
  }
}
