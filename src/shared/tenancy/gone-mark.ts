/** What stands under a deleted tenant's `gone:<id>` in KV: when it was deleted, and whether what it kept is erased. */

/** Follows the time. ` erased` alone is an older version's, which left conversations and stored answers. */
const erasedMark = " all erased";

export function goneMark(nowMs: number, isErased: boolean): string {
  return new Date(nowMs).toISOString() + (isErased ? erasedMark : "");
}

/** @returns when it was deleted, in milliseconds since 1970, and whether what it kept was erased, as far as the mark says */
export function readGoneMark(mark: string): { readonly goneMs: number; readonly isErased: boolean } {
  const goneMs = Date.parse(mark.split(" ", 1)[0] ?? "");
  return { goneMs: Number.isNaN(goneMs) ? 0 : goneMs, isErased: mark.endsWith(erasedMark) };
}
