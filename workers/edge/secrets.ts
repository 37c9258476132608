/** The secrets of this Worker, and those that tenants name. */
import { isGuessable } from "../../src/shared/identity/guessable-secret.ts";

/** Throws where EDGEWISE_SECRET is missing, and in production where it could be guessed, or is another secret, too. */
export function secretOf(env: Cloudflare.Env): string {
  const secret = env.EDGEWISE_SECRET;
  if (secret === undefined || secret === "")
    throw new TypeError(
      "EDGEWISE_SECRET: is needed (32 random bytes, base64url); locally dev/setup.ts makes it",
    );
  if (env.ENVIRONMENT !== "production") return secret;
  if (isGuessable(secret))
    throw new TypeError("EDGEWISE_SECRET: is no 32 random bytes: openssl rand -base64 32 makes them");
  // Anyone who knows the other one could forge ids, keys and receipts.
  const other = Object.entries(env).find(([name, value]) => name !== "EDGEWISE_SECRET" && value === secret);
  if (other !== undefined) throw new TypeError(`EDGEWISE_SECRET: is ${other[0]} as well`);
  return secret;
}

/**
 * The same for who signs requests. The demo secret is a development key, refused in production under whatever name it turns up; so is one that
 * could be guessed.
 */
export function signingSecretByName(env: Cloudflare.Env, name: string): string | undefined {
  const secret = secretByName(env, name);
  if (env.ENVIRONMENT !== "production" || secret === undefined) return secret;
  return secret === env.DEMO_JWT_SECRET || isGuessable(secret) ? undefined : secret;
}

/** A secret that a tenant's configuration names. Bindings that are not text are out of its reach. */
export function secretByName(env: Cloudflare.Env, name: string): string | undefined {
  const value: unknown = Reflect.get(env, name);
  return typeof value === "string" && name.endsWith("_SECRET") && name !== "EDGEWISE_SECRET"
    ? value
    : undefined;
}
