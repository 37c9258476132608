/** How harmful is a whole text, by category? The highest scores of its blocks (text-blocks.ts), as if it were streamed. */
import { noScores, raise, type Scores } from "./categories.ts";
import { saysWord, type TextSymbol, withoutRuns } from "./features.ts";
import { readBlock, scoreWindow } from "./harm-model.ts";
import { blocksOf } from "./text-blocks.ts";

/**
 * A block with fewer words is mostly blanks, signs or invisible characters. It does not separate the text before it from the text after it;
 * otherwise a page of blanks could hide any sentence.
 */
const fewestWords = 12;
const mostBefore = 96;

/** Judges a text block by block, as its blocks come. */
export class BlockClassifier {
  #before: readonly TextSymbol[] = [];

  next(block: string): Scores {
    const symbols = withoutRuns(readBlock(block));
    const scores = scoreWindow(this.#before, symbols);
    const words = symbols.filter(saysWord);
    this.#before = words.length >= fewestWords ? symbols : [...this.#before, ...words].slice(-mostBefore);
    return scores;
  }
}

export function classify(text: string): Scores {
  const classifier = new BlockClassifier();
  const scores = noScores();
  for (const block of blocksOf(text)) raise(scores, classifier.next(block));
  return scores;
}
