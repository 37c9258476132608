import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { bucketName, type LimitScope } from "./bucket-name.ts";
import { noAmounts } from "./bucket-protocol.ts";
import type { DeskOptions } from "./desk-options.ts";
import type { TurnUse } from "./ports.ts";
import { limitsOf } from "./principal-limits.ts";
import type { Tier } from "./tier.ts";

/** A charge as it is kept by whoever must settle it, possibly long after admission. */
export interface Charge {
  readonly chargeId: string;
  readonly tenant: TenantConfig;
  readonly org: string;
  readonly user: string;
  readonly tier: Tier;
  /** The API key that it was asked with. */
  readonly key?: Principal["key"];
}

/**
 * Settles a charge in both buckets by its id alone, for an outbox that delivers until acknowledged: resolves once both
 * have it on disk, rejects as the stubs do. Idempotent for two hours (`lateMs`). A charge that no bucket knows any more is
 * counted as a debt.
 */
export async function settleCharge(call: DeskOptions["call"], charge: Charge, use: TurnUse): Promise<void> {
  await Promise.all([settleAt("user", charge.user), settleAt("org", charge.org)]);

  async function settleAt(scope: LimitScope, id: string): Promise<void> {
    const { tenant, chargeId } = charge;
    const { rules, leaseMs, timeZone } = limitsOf(tenant, scope, charge);
    const { requests, tokens, microdollars, model } = use;
    const { outcomes } = await call(
      { name: bucketName(tenant.id, scope, id), jurisdiction: tenant.jurisdiction },
      {
        version: 1,
        rules,
        leaseMs,
        timeZone,
        operations: [
          {
            type: "settle",
            id: chargeId,
            receipt: null,
            sequence: 1,
            used: { requests, tokens, slots: 0, microdollars },
            models: model === null ? [] : [{ model, requests, tokens, microdollars }],
            held: noAmounts,
            granted: noAmounts,
            ended: true,
          },
        ],
        acknowledge: "now",
      },
    );
    for (const outcome of outcomes) if (outcome.type === "unsound") throw new Error(outcome.detail);
  }
}
