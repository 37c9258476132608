import { err, ok, type Result } from "../contracts/result.ts";
import { platformDefaults } from "./platform-defaults.ts";
import { describeIssues } from "../tenancy/document-fault.ts";
import { issuerSchema, type Issuer } from "../tenancy/issuer-config.ts";

/**
 * Who may speak for the platform itself? One issuer, configured by the Worker's variables and secrets and by nothing
 * that a tenant can write. It alone grants `platform:*`.
 */
export type PlatformIssuer = Pick<
  Issuer,
  "issuer" | "audience" | "algorithms" | "keys" | "clock_skew_seconds" | "max_age_seconds"
>;

/** The Worker's variables and secrets that configure it; docs/configuration.md explains each. */
export interface PlatformVariables {
  readonly PLATFORM_ISSUER?: string | undefined;
  readonly PLATFORM_AUDIENCE?: string | undefined;
  readonly PLATFORM_JWKS_URL?: string | undefined;
  /** Separated by commas; with PLATFORM_JWKS_URL only. */
  readonly PLATFORM_ALGORITHMS?: string | undefined;
  readonly PLATFORM_JWT_SECRET?: string | undefined;
}

/** `null`: none is configured, and nobody has platform scopes. An error names the variable that is wrong. */
export function platformIssuer(variables: PlatformVariables): Result<PlatformIssuer | null, string> {
  const keySetUrl = variables.PLATFORM_JWKS_URL;
  if (!keySetUrl && !variables.PLATFORM_JWT_SECRET) return ok(null);
  const parsed = issuerSchema.safeParse({
    issuer: variables.PLATFORM_ISSUER ?? platformDefaults.issuer,
    audience: variables.PLATFORM_AUDIENCE ?? platformDefaults.audience,
    algorithms: keySetUrl
      ? (variables.PLATFORM_ALGORITHMS ?? "RS256,ES256,EdDSA").split(",").map((name) => name.trim())
      : ["HS256"],
    keys: keySetUrl ? { type: "jwks_url", url: keySetUrl } : { type: "secret", name: "PLATFORM_JWT_SECRET" },
    // A day: platform tokens open everything.
    max_age_seconds: 86_400,
  });
  return parsed.success ? ok(parsed.data) : err(`PLATFORM_*: ${describeIssues(parsed.error)}`);
}
