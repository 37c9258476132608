/** One look into a bucket, which writes nothing. Rejects with `Unreachable` where it can't be asked. */
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import { bucketName, type LimitScope } from "../../src/shared/limits/bucket-name.ts";
import type { BucketInspection } from "../../src/shared/limits/bucket-protocol.ts";
import type { LimitSet } from "../../src/shared/limits/defaults.ts";
import { reached } from "../../src/shared/contracts/unreachable.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Isolate } from "./isolate.ts";

export async function inspectBucket(
  { env }: Isolate,
  tenant: TenantConfig,
  owner: { readonly scope: LimitScope; readonly id: string },
  { rules }: LimitSet,
): Promise<BucketInspection> {
  const address = { name: bucketName(tenant.id, owner.scope, owner.id), jurisdiction: tenant.jurisdiction };
  return reached("bucket", async () =>
    bucketStub(env.TOKEN_BUCKET, address, env.ENVIRONMENT === "production").inspect(rules),
  );
}
