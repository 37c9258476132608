/** Pairs of texts as a browser's storage holds them, where somebody else may write as well: what is none of ours says nothing. */
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
