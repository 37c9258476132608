/** A bucket that fails, and stands still, where a test says; and what of an object is in it. */
import { env } from "cloudflare:workers";

/** The tests' Worker binds it. */
export const files = env.FILES as R2Bucket;

export type Fault = (call: "put" | "get" | "delete", key: string) => void | Promise<void>;

/** The real one; whatever `fault` throws for a call comes of it. */
export function faultyBucket(fault: Fault): R2Bucket {
  return {
    put: async (key: string, text: string) => {
      await fault("put", key);
      return files.put(key, text);
    },
    get: async (key: string) => {
      await fault("get", key);
      return files.get(key);
    },
    delete: async (keys: string[]) => {
      for (const key of keys) await fault("delete", key);
      return files.delete(keys);
    },
  } as unknown as R2Bucket;
}

/** The keys of all that lies there of the object of this name. */
export async function contentOf(objectName: string): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await files.list({ prefix: "content/", ...(cursor === undefined ? {} : { cursor }) });
    keys.push(...page.objects.map(({ key }) => key).filter((key) => key.includes(`/${objectName}/`)));
    if (!page.truncated) return keys;
    cursor = page.cursor;
  }
}
