import type { DeskOptions } from "../../src/shared/limits/desk-options.ts";
import { bucketStub } from "./bucket-stub.ts";
import type { TokenBucket } from "./token-bucket.ts";

/**
 * One round trip to a bucket, as src/shared/limits asks for it. A stub for each call: one that failed may stay broken.
 * `jurisdictions`: see `bucketStub`.
 */
export function createBucketCall(
  namespace: DurableObjectNamespace<TokenBucket>,
  jurisdictions: boolean,
): DeskOptions["call"] {
  return async (address, batch) => bucketStub(namespace, address, jurisdictions).apply(batch);
}
