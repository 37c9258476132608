/** Files in a store of passages over Node's SQLite, and what is found of them. */
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import type { AttributeFilter } from "../../src/shared/retrieval/attribute-filter.ts";
import { lexicalEmbedder, lexicalVector } from "../../src/shared/retrieval/lexical-embedder.ts";
import type { Attributes, Passage } from "../../src/shared/retrieval/passage.ts";

export function passagesOf(...texts: string[]): Passage[] {
  let start = 0;
  return texts.map((text) => {
    const passage = { text, start, end: start + text.length, headings: [] };
    start = passage.end + 1;
    return passage;
  });
}

export function put(
  store: PassageStore,
  id: string,
  texts: readonly string[],
  attributes: Attributes = {},
): void {
  store.put({
    id,
    filename: `${id}.txt`,
    attributes,
    passages: passagesOf(...texts),
    vectors: texts.map(lexicalVector),
    embedderId: lexicalEmbedder.id,
  });
}

export function byWords(store: PassageStore, query: string, filter: AttributeFilter | null = null): string[] {
  const ids = store.byWords(query, 50, store.filesThatMeet(filter));
  return store.passages(ids.map((id) => ({ id, score: 0 }))).map(({ text }) => text);
}

export function byVector(
  store: PassageStore,
  query: string,
  filter: AttributeFilter | null = null,
): string[] {
  const found = store.byVector(lexicalVector(query), lexicalEmbedder.id, 50, store.filesThatMeet(filter));
  return store.passages(found).map(({ text }) => text);
}

export const empty = () => new PassageStore(new NodeSql());
