/** The secrets of this Worker, and those that tenants name. */

/** So many characters has 24 random bytes in base64; 32, as they are to be, have 43 or 44. */
const leastCharacters = 32;
/** Random base64 or hexadecimal of that length has more, but once in a million times; what somebody typed seldom. */
const leastDifferent = 10;

/** Throws where EDGEWISE_SECRET is missing, and in production where it could be guessed, or is another secret, too. */
export function secretOf(env: Cloudflare.Env): string {
  const secret = env.EDGEWISE_SECRET;
  if (secret === undefined || secret === "")
    throw new TypeError(
      "EDGEWISE_SECRET: is needed (32 random bytes, base64url); locally dev/setup.ts makes it",
    );
  if (env.ENVIRONMENT !== "production") return secret;
  if (secret.length < leastCharacters || new Set(secret).size < leastDifferent)
    throw new TypeError("EDGEWISE_SECRET: is no 32 random bytes: openssl rand -base64 32 makes them");
  // Whoever may know the other one could make ids, keys and receipts.
  const other = Object.entries(env).find(([name, value]) => name !== "EDGEWISE_SECRET" && value === secret);
  if (other !== undefined) throw new TypeError(`EDGEWISE_SECRET: is ${other[0]} as well`);
  return secret;
}

/** The same for who signs requests: the demo secret is a development key, refused in production under whatever name it turns up. */
export function signingSecretByName(env: Cloudflare.Env, name: string): string | undefined {
  const secret = secretByName(env, name);
  return env.ENVIRONMENT === "production" && secret === env.DEMO_JWT_SECRET ? undefined : secret;
}

/** A secret that a tenant's configuration names. Bindings that are no text are none of its business. */
export function secretByName(env: Cloudflare.Env, name: string): string | undefined {
  const value: unknown = Reflect.get(env, name);
  return typeof value === "string" && name.endsWith("_SECRET") && name !== "EDGEWISE_SECRET"
    ? value
    : undefined;
}
