/**
 * Which passages has a file's text? If it has pages, each page is cut by itself: a passage that began on one page and ended on the next
 * would be cited by the wrong page. A text that a page break cuts in two becomes two passages.
 */
import { chunkText, type ChunkOptions } from "./chunk.ts";
import type { ExtractedText } from "./extract-text.ts";
import type { Passage } from "./passage.ts";

export function chunkPages(
  { text, kind, pageStarts }: ExtractedText,
  bounds: Omit<ChunkOptions, "kind">,
): readonly Passage[] {
  const options = { ...bounds, kind };
  if (pageStarts === undefined) return chunkText(text, options);
  const passages: Passage[] = [];
  for (const [index, pageStart] of pageStarts.entries()) {
    const from = index === 0 ? 0 : pageStart;
    const page = text.slice(from, pageStarts[index + 1]);
    for (const passage of chunkText(page, options))
      passages.push({
        ...passage,
        start: passage.start + from,
        end: passage.end + from,
        page: index + 1,
      });
  }
  return passages;
}
