/** How is a name shown that another party chose (a file's, a web page's)? */

/** Embeddings, overrides and isolates with their ends (Unicode Standard Annex 9). Marks (LRM, RLM, ALM) are kept: they don't reorder other text. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

/** Removes characters that change the writing direction: with them `report\u202efdp.exe` looks like a PDF, and text after the name is reordered too. */
export function shownName(name: string): string {
  return name.replaceAll(turning, "");
}

/** The name of a sent file, without the folders that some clients include. */
export function bareName(given: string): string {
  return shownName(given.replace(/^.*[/\\]/s, "")).trim();
}
