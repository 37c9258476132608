import type { BucketAddress } from "../../src/shared/limits/bucket-name.ts";
import type { TokenBucket } from "./token-bucket.ts";

/**
 * The bucket of this address. The jurisdiction is part of an object's id in production; workerd on its own knows none
 * (it throws), so that `jurisdictions: false` puts it into the name there.
 */
export function bucketStub(
  namespace: DurableObjectNamespace<TokenBucket>,
  address: BucketAddress,
  jurisdictions: boolean,
): DurableObjectStub<TokenBucket> {
  if (address.jurisdiction === "none") return namespace.getByName(address.name);
  if (jurisdictions) return namespace.jurisdiction(address.jurisdiction).getByName(address.name);
  return namespace.getByName(`${address.jurisdiction}:${address.name}`);
}
