/** How harmful is a whole text, by category? The highest score of its blocks (text-blocks.ts), as a stream of it would be judged. */
import { noScores, raise, type Scores } from "./categories.ts";
import type { TextSymbol } from "./features.ts";
import { readBlock, scoreWindow } from "./harm-model.ts";
import { blocksOf } from "./text-blocks.ts";

/** A text judged block by block, as its blocks come. */
export class BlockClassifier {
  #before: readonly TextSymbol[] = [];

  next(block: string): Scores {
    const symbols = readBlock(block);
    const scores = scoreWindow(this.#before, symbols);
    this.#before = symbols;
    return scores;
  }
}

export function classify(text: string): Scores {
  const classifier = new BlockClassifier();
  const scores = noScores();
  for (const block of blocksOf(text)) raise(scores, classifier.next(block));
  return scores;
}
