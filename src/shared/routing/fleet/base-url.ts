/**
 * What does a server's URL say that no request to it could mean? Asked where one is written (a fleet document, an admin's call), and not
 * by the fleet's schema: what lies in KV already goes on being read.
 */

/** Follows the field's name; null: nothing. */
export function baseUrlFault({ username, password, pathname, search, hash }: URL): string | null {
  if (username !== "" || password !== "") return "holds a user's name or password, which is never sent";
  if (search !== "" || hash !== "") return "is a base URL: it has neither a query nor a fragment";
  return /\/v1\/*$/.test(pathname) ? "is the base URL without /v1, which is added to it" : null;
}
