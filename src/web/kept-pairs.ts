/** Pairs of texts in a browser's storage, which other code may write as well: foreign values are ignored. */
export type Pair = readonly [name: string, value: string];

export function pairsIn(text: string | null): readonly Pair[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(kept) ? kept.filter(isPair) : [];
}

function isPair(value: unknown): value is Pair {
  return Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "string";
}
