/**
 * How is a text cut into blocks for judging? A block ends after a sentence, or at a blank if a sentence is long. Where it ends depends only on
 * the text, not on how it arrives. So a stream is judged exactly like the whole text, and a guard that may stop it holds back one block at
 * most.
 */
const leastBlock = 160;
export const longestBlock = 320;

const stops = /[.!?…。！？\n]/;
const blank = /\s/;

/**
 * Where the first block of the text ends; -1: more text is needed to know.
 *
 * @param scanned the text's length when -1 was returned before; 0: never
 */
export function blockEnd(text: string, final: boolean, scanned = 0): number {
  const { length } = text;
  for (let at = Math.max(leastBlock, scanned); at < length && at < longestBlock; at += 1)
    if (blank.test(text.charAt(at)) && stops.test(text.charAt(at - 1))) return at;
  if (length >= longestBlock) return lastBlank(text);
  return final ? length : -1;
}

function lastBlank(text: string): number {
  for (let at = longestBlock - 1; at > leastBlock; at -= 1) if (blank.test(text.charAt(at))) return at;
  // Never splits a surrogate pair.
  const last = text.charCodeAt(longestBlock - 1);
  return last >= 0xd800 && last < 0xdc00 ? longestBlock - 1 : longestBlock;
}

/** All blocks of a whole text. An empty text is one empty block. */
export function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let rest = text;
  do {
    const end = blockEnd(rest, true);
    blocks.push(rest.slice(0, end));
    rest = rest.slice(end);
  } while (rest !== "");
  return blocks;
}
