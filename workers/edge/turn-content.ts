/** Where are the long texts of a turn stored once it is over? */
import type { ContentParts } from "../../durable-objects/generation/turn-content.ts";
import { contentBucket } from "../../durable-objects/storage/content-bucket.ts";
import { newContentKey } from "../../src/shared/content/large-content.ts";
import type { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";

/**
 * `null`: there is no bucket, and they stay where they are.
 *
 * @param id the object's own; every one of ours has a name
 */
export function turnContent(
  { env, hash }: { readonly env: Parameters<typeof contentBucket>[0]; readonly hash: KeyedHash },
  { name: objectName = "", jurisdiction }: Pick<DurableObjectId, "name" | "jurisdiction">,
): ContentParts | null {
  const bucket = contentBucket(env, jurisdiction === "eu" ? "eu" : "none");
  if (bucket === null) return null;
  return {
    bucket,
    newKey: (tenant, item) => newContentKey(hash, { tenant, kind: "turn", objectName, item }),
  };
}
