/**
 * Into which blocks is a text cut to be judged? Blocks that end behind a sentence, or at a blank where a sentence goes on for long; where
 * they end depends on the text alone, not on how it arrives. So a stream is judged exactly as the whole text is, and a guard that may stop
 * it holds back one block at most.
 */
const leastBlock = 160;
export const longestBlock = 320;

const stops = /[.!?…。！？\n]/;
const blank = /\s/;

/**
 * Where the block that begins the text ends; -1: not known before more of it is there.
 *
 * @param scanned so many characters were there when -1 was the answer before; 0: never
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
  // No half of a surrogate pair.
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
