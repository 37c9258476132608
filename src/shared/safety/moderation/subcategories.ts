/**
 * Which subcategory does detected harm belong to? Some have too few labelled texts to learn from, but are told apart by simple rules: sexual
 * content with a minor in the same window; self-harm in the first person, or as a request. Each gets its category's score.
 */
import type { Category } from "./categories.ts";
import type { TextSymbol } from "./features.ts";

export interface Subcategory {
  readonly category: Category;
  readonly of: Category;
  readonly holds: (symbols: readonly TextSymbol[]) => boolean;
}

/** How many words count as the beginning of a question or a demand. */
const opening = 4;

export const subcategories: readonly Subcategory[] = [
  {
    category: "sexual/minors",
    of: "sexual",
    holds: (symbols) => symbols.some(({ name }) => name === "minor"),
  },
  {
    category: "self-harm/intent",
    of: "self-harm",
    holds: (symbols) => symbols.some(({ name }) => name === "i" || name === "myself"),
  },
  {
    category: "self-harm/instructions",
    of: "self-harm",
    holds: (symbols) => symbols.slice(0, opening).some(({ name }) => name === "ask"),
  },
];
