/**
 * Which sources does a stored answer cite? Its annotations name the file or web page for each mark in its text. The number is in the mark
 * itself. The cited passage is not stored with a conversation. Pure.
 */
import { isRecord, pageOf, textOf } from "./api.ts";
import type { Source } from "./sources.tsx";

const mark = /\[ *\d+ *(?:, *\d+ *)*\]/y;

/** @param part of an item, as the API returns it */
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
    // A mark has one annotation for each of its numbers, in their order.
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

/** The same with the passages that the page received while the answer was written. */
export function withQuotes(kept: readonly Source[] | undefined, seen: readonly Source[]): readonly Source[] {
  if (kept === undefined) return seen;
  return kept.map(
    (source) =>
      seen.find(({ index, filename }) => index === source.index && filename === source.filename) ?? source,
  );
}
