/**
 * Erases everything in the bucket under a tenant's prefix, whichever object it belonged to, and whether or not that object still exists.
 */

/** @param throughMs later objects stay: they belong to another tenant of that name. Rejects if the bucket can't be reached */
export async function eraseLeftContent(
  bucket: Pick<R2Bucket, "list" | "delete">,
  prefix: string,
  throughMs: number,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const page: R2Objects = await bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
    const keys = page.objects.filter(({ uploaded }) => uploaded.getTime() <= throughMs).map(({ key }) => key);
    if (keys.length > 0) await bucket.delete(keys);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
