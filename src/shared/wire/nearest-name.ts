/** Which of a few dozen names does a misspelt one mean? Only if that is nearly certain. */

/** No name is longer, so a longer one is no typo. */
const longest = 64;

/** Accepts another style (`maxTokens`, `max-tokens` for `max_tokens`), or one or two typos. `null`: none is near. */
export function nearestName(given: string, names: Iterable<string>): string | null {
  if (given.length > longest) return null;
  const bare = bareOf(given);
  let nearest: string | null = null;
  let least = mostSlips(given) + 1;
  for (const name of names) {
    if (bareOf(name) === bare) return name;
    const slips = slipsBetween(given, name, least - 1);
    if (slips < least) [nearest, least] = [name, slips];
  }
  return nearest;
}

function bareOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Short names are closer to each other, so they allow fewer typos. */
function mostSlips({ length }: string): number {
  if (length < 4) return 0;
  return length < 8 ? 1 : 2;
}

/**
 * The number of letters omitted, inserted, replaced, or swapped with their neighbour (optimal string alignment distance).
 *
 * @param most the largest number of interest; beyond it the result is just some larger number
 */
function slipsBetween(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= right.length; to += 1) {
      const isSame = left[at - 1] === right[to - 1];
      const isSwapped = at > 1 && to > 1 && left[at - 1] === right[to - 2] && left[at - 2] === right[to - 1];
      next[to] = Math.min(
        (row[to] ?? 0) + 1,
        (next[to - 1] ?? 0) + 1,
        (row[to - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[to - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? most + 1;
}
