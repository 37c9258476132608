/**
 * The search of files in a response: its output item with its events, in OpenAI's form (`file_search_call`). What a text cites of it
 * is grounding/citable.ts.
 */
import type { GroundedPassage, Grounding } from "../grounding/ground.ts";
import { shownAttributes } from "../retrieval/passage.ts";
import type { FileSearchCall } from "./item.ts";

/** The item as it is when it is over. */
export function searchItem(id: string, grounding: Grounding, showsResults: boolean): string {
  const { queries, passages, fault, lacking } = grounding;
  const item: FileSearchCall & { readonly id: string } = {
    id,
    type: "file_search_call",
    status: fault === null ? "completed" : passages.length > 0 ? "incomplete" : "failed",
    queries,
    results: showsResults ? passages.map(resultOf) : null,
    ...(lacking === undefined ? {} : { lacking }),
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

function resultOf(passage: GroundedPassage) {
  const { fileId, filename, score, text, shown, shownName } = passage;
  return {
    file_id: fileId,
    filename: shownName ?? filename,
    attributes: shownAttributes(passage),
    score,
    text: shown ?? text,
  };
}
