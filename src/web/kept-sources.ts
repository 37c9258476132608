/**
 * What does a kept answer cite? Its annotations say which file, or which page of the web, a mark of its text means, and not by which
 * number: that the mark says itself. Nor do they say what the file says there: a conversation does not keep that. Pure.
 */
import { isRecord, pageOf, textOf } from "./api.ts";
import type { Source } from "./sources.tsx";

const mark = /\[ *\d+ *(?:, *\d+ *)*\]/y;

/** @param part an item's, as the API tells it */
export function keptSources(part: Record<string, unknown>): readonly Source[] {
  const annotations: unknown[] = Array.isArray(part["annotations"]) ? part["annotations"] : [];
  const text = textOf(part["text"]);
  const sources = new Map<number, Source>();
  let before = -1;
  let place = 0;
  for (const annotation of annotations) {
    if (!isRecord(annotation)) continue;
    const isFile = annotation["type"] === "file_citation";
    const at = annotation[isFile ? "index" : "start_index"];
    if (typeof at !== "number") continue;
    // Each number of a mark has an annotation of its own, in their order.
    place = at === before ? place + 1 : 0;
    before = at;
    const index = numbersAt(text, at)[place];
    if (index === undefined) continue;
    sources.set(index, {
      index,
      filename: textOf(annotation[isFile ? "filename" : "title"]),
      text: "",
      ...(isFile ? pageOf(annotation) : { url: textOf(annotation["url"]) }),
    });
  }
  return [...sources.values()].sort((left, right) => left.index - right.index);
}

function numbersAt(text: string, at: number): readonly number[] {
  mark.lastIndex = at;
  const numbers: readonly string[] = mark.exec(text)?.[0].match(/\d+/g) ?? [];
  return [...new Set(numbers.map(Number))];
}

/** The same with what the page has seen of the files while the answer was written. */
export function withQuotes(kept: readonly Source[] | undefined, seen: readonly Source[]): readonly Source[] {
  if (kept === undefined) return seen;
  return kept.map(
    (source) =>
      seen.find(({ index, filename }) => index === source.index && filename === source.filename) ?? source,
  );
}
