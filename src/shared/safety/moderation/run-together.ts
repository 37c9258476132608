/** `ihate`: which words does a run of letters hold that is none itself? */
import { beginning, lexicon, plainClasses, stemOf } from "./word-forms.ts";

/** A part of a run has so many letters at most. */
const longestPart = 14;
const mostParts = 4;

/** Into words of the lexicon and common ones, one of them at least with a meaning of its own; `null`: it can't be cut so. */
export function wordsRunTogether(run: string): readonly string[] | null {
  const { parts, classes, beginnings } = lexicon();
  const isPart = (text: string, start: number): boolean =>
    text.length >= 2 || (start === 0 && (text === "a" || text === "i"))
      ? parts.has(text) || (text.length >= 4 && stemOf(text) !== null)
      : false;
  const { length } = run;
  // The fewest parts that end at each place, and where the last of them begins. 0: none end there.
  const fewest = new Uint8Array(length + 1);
  const begins = new Uint8Array(length + 1);
  for (let start = 0; start < length; start += 1) {
    const before = fewest[start] ?? 0;
    // Most places are none where a part ends: nothing is cut out there.
    if (start > 0 && before === 0) continue;
    const longest = beginnings.has(run.slice(start, start + beginning)) ? longestPart : beginning - 1;
    for (let end = start + 1; end <= length && end - start <= longest; end += 1) {
      const known = fewest[end] ?? 0;
      if (known !== 0 && known <= before + 1) continue;
      if (!isPart(run.slice(start, end), start)) continue;
      fewest[end] = before + 1;
      begins[end] = start;
    }
  }
  const count = fewest[length] ?? 0;
  if (count === 0 || count > mostParts) return null;
  const whole: string[] = [];
  for (let end = length; end > 0; end = begins[end] ?? 0) whole.unshift(run.slice(begins[end], end));
  const telling = whole.some((part) => {
    const stem = stemOf(part);
    return (
      part.length >= 3 &&
      part.length * 5 >= run.length * 2 &&
      stem !== null &&
      (classes.get(stem) ?? []).some((name) => !plainClasses.has(name))
    );
  });
  return telling ? whole : null;
}
