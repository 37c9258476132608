/** How is a name shown that somebody else chose (a file's, a web page's)? */

/** Embeddings, overrides and isolates with their ends (Unicode Standard Annex 9). Marks (LRM, RLM, ALM) turn nothing of what stands beside them. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

/** Without what turns the direction of writing: with it `report\u202efdp.exe` reads as a PDF, and as more than the name where it stands in a text. */
export function shownName(name: string): string {
  return name.replaceAll(turning, "");
}

/** The name of a file that is sent: without the folders that some clients send, too. */
export function bareName(given: string): string {
  return shownName(given.replace(/^.*[/\\]/s, "")).trim();
}
