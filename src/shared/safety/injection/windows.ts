/**
 * Which parts of a text are judged, each by itself? Whole sentences: single ones, and runs of up to 24, 64 and 160 words. The text's verdict
 * is that of its worst window, so harmless text around an attack does not dilute it. At most four windows a sentence.
 */
const windowWords = [1, 24, 64, 160] as const;

/** Calls `visit` with the first word, the one after the last, and the index of the window's size: 0 is a single sentence. */
export function eachWindow(
  sentences: readonly number[],
  words: number,
  visit: (from: number, to: number, size: number) => void,
): void {
  const ends = windowWords.map(() => 0);
  for (let first = 0; first < sentences.length; first += 1) {
    const from = sentences[first] ?? 0;
    let before = -1;
    for (let size = 0; size < windowWords.length; size += 1) {
      let last = Math.max(ends[size] ?? 0, first + 1);
      while (last < sentences.length && endOf(last) - from <= (windowWords[size] ?? 0)) last += 1;
      ends[size] = last;
      if (last === before) continue;
      before = last;
      visit(from, last < sentences.length ? (sentences[last] ?? words) : words, size);
    }
  }
  function endOf(sentence: number): number {
    return sentence + 1 < sentences.length ? (sentences[sentence + 1] ?? words) : words;
  }
}

/** The divisor of a window's sum: length alone makes no window worse, and one or two words alone prove little. */
export function windowNorm(words: number): number {
  return Math.sqrt(Math.max(words, 12));
}
