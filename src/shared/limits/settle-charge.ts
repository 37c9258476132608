import { timedOut, within } from "../isolate/within.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { bucketName, type LimitScope, limitScopes } from "./bucket-name.ts";
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

/** Some bucket may not have the charge. */
export class ChargeOwed extends Error {
  /** Who is to be told again, and nobody else: whoever has it closes it, and forgets that it did. */
  readonly owing: readonly LimitScope[];

  constructor(owing: readonly LimitScope[], detail: string) {
    super(detail);
    this.owing = owing;
  }
}

/**
 * Settles a charge in both buckets by its id alone, for an outbox that delivers until acknowledged: resolves once both
 * have it on disk, rejects with `ChargeOwed` where one may not. Idempotent for two hours (`lateMs`), and while a bucket has closed fewer
 * than `maxClosed` others. A charge that no bucket knows any more is counted as a debt.
 *
 * @param owing the buckets that may not have it; those that are left of an earlier try
 */
export async function settleCharge(
  call: DeskOptions["call"],
  charge: Charge,
  use: TurnUse,
  owing: readonly LimitScope[] = limitScopes,
): Promise<void> {
  const told = await Promise.allSettled(
    owing.map(async (scope) => {
      const outcome = await within(settleAt(call, charge, use, scope), mostMs);
      if (outcome === timedOut) throw new Error("no answer in time");
    }),
  );
  const faults = told.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  if (faults.length > 0)
    throw new ChargeOwed(
      owing.filter((_scope, at) => told[at]?.status === "rejected"),
      faults.join("; "),
    );
}

/** A bucket that hangs must not keep what the other said from being noted. */
const mostMs = 15_000;

async function settleAt(
  call: DeskOptions["call"],
  charge: Charge,
  use: TurnUse,
  scope: LimitScope,
): Promise<void> {
  const { tenant, chargeId } = charge;
  const { rules, leaseMs, timeZone } = limitsOf(tenant, scope, charge);
  const { requests, tokens, microdollars, model } = use;
  const { outcomes } = await call(
    { name: bucketName(tenant.id, scope, charge[scope]), jurisdiction: tenant.jurisdiction },
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
