/**
 * Which subcategory does a harm that was found belong to? For some there are too few labelled texts to learn it from, and what tells them
 * apart is plain: sexual with a minor in the same window; self-harm by whoever says I, or asked for. These are as sure as their category
 * is.
 */
import type { Category } from "./categories.ts";
import type { TextSymbol } from "./features.ts";

export interface Subcategory {
  readonly category: Category;
  readonly of: Category;
  readonly holds: (symbols: readonly TextSymbol[]) => boolean;
}

/** A question or a demand begins with these. */
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
