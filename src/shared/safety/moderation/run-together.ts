/** `ihate`: which words are written together in a run of letters that is no word itself? */
import { beginning, lexicon, plainClasses, stemOf } from "./word-forms.ts";

/** The most letters of a part. */
const longestPart = 14;
const mostParts = 4;

/** Cuts a run into words of the lexicon and common words, with at least one meaningful word; `null`: that is not possible. */
export function wordsRunTogether(run: string): readonly string[] | null {
  const { parts, classes, beginnings } = lexicon();
  const isPart = (text: string, start: number): boolean =>
    text.length >= 2 || (start === 0 && (text === "a" || text === "i"))
      ? parts.has(text) || (text.length >= 4 && stemOf(text) !== null)
      : false;
  const { length } = run;
  // The fewest parts up to each place, and where the last of them begins. 0: no part ends there.
  const fewest = new Uint8Array(length + 1);
  const begins = new Uint8Array(length + 1);
  for (let start = 0; start < length; start += 1) {
    const before = fewest[start] ?? 0;
    // At most places no part ends, so none begins.
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
