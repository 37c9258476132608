/** Items as they leave the object: each with its text, fetched from the bucket where it is stored there. */
import { type ContentBucket, ContentUnavailable } from "../../src/shared/content/large-content.ts";
import type { StoredItem } from "../../src/shared/contracts/conversation.ts";
import type { ReadItem } from "./item-reader.ts";
import type { LargeItems } from "./large-items.ts";

/** Fetched at once: a Worker opens six connections. */
const atOnce = 6;

/**
 * Throws `ContentUnavailable` where one text can't be had: the caller of the object then finds it out of reach (503), whatever its version
 * is. An outcome of another kind would be unknown to older callers, and pass for a history without its items.
 *
 * @param items within what a message may hold: whoever chose them has counted (`ReadItem.units`)
 */
export async function wholeItems(
  items: readonly ReadItem[],
  large: LargeItems,
  bucket: ContentBucket | null,
): Promise<readonly StoredItem[]> {
  if (items.every(({ units }) => units === undefined)) return items;
  const whole: StoredItem[] = [];
  for (let at = 0; at < items.length; at += atOnce)
    whole.push(
      ...(await Promise.all(items.slice(at, at + atOnce).map((item) => wholeItem(item, large, bucket)))),
    );
  return whole;
}

async function wholeItem(
  { units, ...item }: ReadItem,
  large: LargeItems,
  bucket: ContentBucket | null,
): Promise<StoredItem> {
  if (units === undefined) return item;
  // Where it is now: while others were fetched it may have been moved, or taken out.
  const place = large.place(item.sequence);
  if (place === null) throw new ContentUnavailable("it is not there any more");
  if ("text" in place) return { ...item, json: place.text };
  if (bucket === null) throw new ContentUnavailable("its bucket is not bound");
  const json = await read(bucket, place.key);
  if (json?.length !== place.units) throw new ContentUnavailable("the bucket has not all of it");
  return { ...item, json };
}

async function read(bucket: ContentBucket, key: string): Promise<string | null> {
  try {
    return await bucket.get(key);
  } catch (error) {
    throw new ContentUnavailable(error instanceof Error ? error.message : "the bucket can't be asked");
  }
}
