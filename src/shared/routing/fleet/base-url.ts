/**
 * What is wrong with a server's URL? Checked when a URL is written (a fleet document, an admin's call), not by the fleet's schema, so that
 * a document that is already in KV stays readable.
 */

/** Follows the field's name; null: nothing. */
export function baseUrlFault({ username, password, pathname, search, hash }: URL): string | null {
  if (username !== "" || password !== "") return "holds a user's name or password, which is never sent";
  if (search !== "" || hash !== "") return "is a base URL: it has neither a query nor a fragment";
  return /\/v1\/*$/.test(pathname) ? "is the base URL without /v1, which is added to it" : null;
}
