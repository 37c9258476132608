/** The bucket of large content as this environment has it: the one of files, of the same jurisdiction, under names of its own. */
import type { ContentBucket } from "../../src/shared/content/large-content.ts";
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import { fileBucket } from "../library/file-bucket.ts";
import { inTime } from "./in-time.ts";

/** `null`: there is none, and all content lies in its objects. */
export function contentBucket(
  env: Pick<Cloudflare.Env, "ENVIRONMENT" | "FILES" | "FILES_EU">,
  jurisdiction: Jurisdiction,
): ContentBucket | null {
  const bucket = fileBucket(env, jurisdiction);
  if (bucket === undefined) return null;
  return {
    put: async (key, text) => {
      await inTime(bucket.put(key, text), putWithinMs);
    },
    get: async (key) => inTime(read(bucket, key)),
    delete: async (keys) => inTime(bucket.delete([...keys])),
  };
}

async function read(bucket: R2Bucket, key: string): Promise<string | null> {
  const object = await bucket.get(key);
  return object === null ? null : object.text();
}

/** Some 36 MB at most. */
const putWithinMs = 30_000;
