/**
 * The search of files in a response: its output item with its events, and the annotations of a text that cites. OpenAI's forms
 * (`file_search_call`, `file_citation`); ours is only that the text keeps its `[1]`, at which an annotation's `index` points.
 */
import type { CitationMark } from "../grounding/citation-scanner.ts";
import type { Grounding } from "../grounding/ground.ts";
import type { FoundPassage } from "../retrieval/passage.ts";
import type { FileSearchCall } from "./item.ts";

/** The item as it is when it is over. */
export function searchItem(id: string, grounding: Grounding, showsResults: boolean): string {
  const { queries, passages, fault } = grounding;
  const item: FileSearchCall & { readonly id: string } = {
    id,
    type: "file_search_call",
    status: fault === null ? "completed" : passages.length > 0 ? "incomplete" : "failed",
    queries,
    results: showsResults ? passages.map(resultOf) : null,
  };
  return JSON.stringify(item);
}

export function openSearchItem(id: string): string {
  return `{"id":"${id}","type":"file_search_call","status":"in_progress","queries":[],"results":null}`;
}

/** What is told between the item's beginning and its end, in order. */
export function searchEvents({ fault }: Grounding): readonly string[] {
  const begun = ["response.file_search_call.in_progress", "response.file_search_call.searching"];
  return fault === null ? [...begun, "response.file_search_call.completed"] : begun;
}

function resultOf({ fileId, filename, attributes, score, text }: FoundPassage) {
  return { file_id: fileId, filename, attributes, score, text };
}

/** JSON of the annotation; `null`: there is no such passage. */
export function annotationJson(
  passages: readonly FoundPassage[],
  { number, at }: CitationMark,
): string | null {
  const passage = passages[number - 1];
  if (passage === undefined) return null;
  const { fileId, filename } = passage;
  return JSON.stringify({ type: "file_citation", index: at, file_id: fileId, filename });
}

/** Annotations of one text: an answer may repeat `[1]` as often as it likes, and each is told three times. */
export const mostAnnotations = 200;
