import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ConfigUnavailable } from "../tenancy/config-cache.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { TenantDirectory } from "../tenancy/tenant-directory.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";
import { hashApiKey, readApiKey, sameText } from "./api-key.ts";
import { demoTenantId } from "./demo.ts";
import type { KeyDirectory } from "./key-directory.ts";
import { keyGrant } from "./key-grant.ts";
import type { KnownKey } from "./key-record.ts";
import type { Principal } from "./principal.ts";

/**
 * Whose is this API key?
 *
 *   strict form and checksum → environment → record → hash → tenant at this hostname → what the key may still have
 *
 * A typo costs no look-up, and whatever is wrong reads the same outside: an unknown key, a wrong secret, a revoked key and
 * another tenant's key are one 401.
 */
export interface KeyVerifierOptions {
  readonly tenants: TenantDirectory;
  readonly apiKeys: KeyDirectory;
  /** Under EDGEWISE_SECRET: what API keys are hashed with. */
  readonly hash: KeyedHash;
  readonly environment: "local" | "production";
  readonly now: () => number;
}

export interface VerifiedKey {
  readonly known: KnownKey;
  readonly principal: Principal;
  /** `null`: the platform's own key. */
  readonly tenant: TenantConfig | null;
}

export interface KeyRefusal {
  readonly refusal: Extract<Refusal, { kind: "credential-invalid" }> | ConfigUnavailable;
  /** The record whose secret it is not: worth remembering while the record is the same. */
  readonly wrongSecretOf: KnownKey | null;
}

export async function verifyKey(
  credential: string,
  host: string,
  background: Background,
  { tenants, apiKeys, hash, environment, now }: KeyVerifierOptions,
): Promise<Result<VerifiedKey, KeyRefusal>> {
  const text = readApiKey(credential);
  if (text === null) return refused("not a key, or mistyped");
  if ((text.environment === "local") !== (environment === "local"))
    return refused(`a key for ${text.environment} in ${environment}`);
  const reading = await apiKeys.byId(text.id, background);
  if (!reading.ok) return err({ refusal: reading.error, wrongSecretOf: null });
  if (reading.value === null) return refused("unknown key");
  const known = reading.value;
  if (!sameText(await hashApiKey(hash, text.text), known.record.hash))
    return refused("secret is wrong", known);
  let tenant: TenantConfig | null = null;
  if (known.record.tenant !== "platform") {
    const byHost = await tenants.byHost(host, background);
    if (!byHost.ok) return err({ refusal: byHost.error, wrongSecretOf: null });
    const found = byHost.value === null ? await tenants.byId(known.record.tenant, background) : byHost;
    if (!found.ok) return err({ refusal: found.error, wrongSecretOf: null });
    tenant = found.value;
    if (tenant === null || tenant.id !== known.record.tenant)
      return refused("a key of another tenant, or of none");
    if (environment === "production" && tenant.id === demoTenantId)
      return refused("the demo tenant is refused in production");
  }
  const granted = keyGrant(known, tenant, now());
  return granted.ok ? ok({ known, principal: granted.value, tenant }) : refused(granted.error);
}

function refused(detail: string, wrongSecretOf: KnownKey | null = null): Result<never, KeyRefusal> {
  return err({ refusal: { kind: "credential-invalid", credential: "key", detail }, wrongSecretOf });
}
