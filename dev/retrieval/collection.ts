/** A test collection in BEIR's layout: queries, documents, and which documents answer which query. Read in place. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const documentSchema = z.object({ _id: z.string(), title: z.string().default(""), text: z.string() });
const querySchema = z.object({ _id: z.string(), text: z.string() });

export interface Collection {
  readonly documents: readonly { readonly id: string; readonly text: string }[];
  /** Only queries with judgements. */
  readonly queries: readonly JudgedQuery[];
}

export interface JudgedQuery {
  readonly text: string;
  /** Document to grade, those over 0. */
  readonly relevant: ReadonlyMap<string, number>;
}

export function readCollection(folder: string): Collection {
  const rows = (name: string): unknown[] =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as unknown);
  const judged = new Map<string, Map<string, number>>();
  const [, ...judgements] = readFileSync(join(folder, "qrels.tsv"), "utf8").trimEnd().split("\n");
  for (const line of judgements) {
    const [query = "", document = "", grade = ""] = line.trimEnd().split("\t");
    if (!Number.isFinite(Number(grade))) throw new Error(`qrels.tsv: '${line}' names no grade`);
    if (Number(grade) <= 0) continue;
    const known = judged.get(query) ?? new Map<string, number>();
    known.set(document, Number(grade));
    judged.set(query, known);
  }
  return {
    documents: z
      .array(documentSchema)
      .parse(rows("corpus.jsonl"))
      .map(({ _id: id, title, text }) => ({ id, text: title === "" ? text : `${title}\n\n${text}` })),
    queries: z
      .array(querySchema)
      .parse(rows("queries.jsonl"))
      .flatMap(({ _id: id, text }) => {
        const relevant = judged.get(id);
        return relevant === undefined ? [] : { text, relevant };
      }),
  };
}

/** Discounted cumulated gain of the first `places`, against the best order there is (Järvelin and Kekäläinen, 2002), gains as graded. */
export function ndcg(
  found: readonly string[],
  relevant: ReadonlyMap<string, number>,
  places: number,
): number {
  const gain = (grades: readonly number[]): number =>
    grades.slice(0, places).reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
  const best = gain([...relevant.values()].sort((left, right) => right - left));
  return best === 0 ? 0 : gain(found.map((id) => relevant.get(id) ?? 0)) / best;
}

/** Which share of the relevant documents is among the first `places`? */
export function recall(
  found: readonly string[],
  relevant: ReadonlyMap<string, number>,
  places: number,
): number {
  const first = new Set(found.slice(0, places));
  return [...relevant.keys()].filter((id) => first.has(id)).length / relevant.size;
}
