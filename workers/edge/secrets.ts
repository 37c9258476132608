/** The secrets of this Worker, and those that tenants name. */
export function secretOf(env: Cloudflare.Env): string {
  const secret = env.EDGEWISE_SECRET;
  if (secret === undefined || secret === "")
    throw new TypeError(
      "EDGEWISE_SECRET: is needed (32 random bytes, base64url); locally dev/setup.ts makes it",
    );
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
