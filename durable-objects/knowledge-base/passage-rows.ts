/** How are a file's passages, their words and their vectors written, and taken out? */
import type { Attributes, Passage } from "../../src/shared/retrieval/passage.ts";
import { packVectors, vectorsPerBlock } from "../../src/shared/retrieval/vector-block.ts";
import { wordsOf } from "../../src/shared/retrieval/words.ts";
import type { Sql } from "../storage/sql-port.ts";
import { filePassages } from "./passage-tables.ts";

interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly attributes: Attributes;
}

export interface FilePassages extends StoredFile {
  readonly passages: readonly Passage[];
  /** One a passage, of one length; `null`: they are found by words alone, or their vectors lie elsewhere. */
  readonly vectors: readonly Float32Array[] | null;
  /** What made the vectors (`Embedder.id`). */
  readonly embedderId: string;
}

/** Within the caller's transaction. A file put again has a new number. */
export function insertFile(sql: Sql, file: FilePassages): void {
  const { id, filename, attributes, passages, vectors, embedderId } = file;
  const { number } = sql
    .exec<{ number: number }>(
      "UPDATE passage_content SET last_file = last_file + 1 RETURNING last_file AS number",
    )
    .one();
  const characters = passages.reduce((sum, { text }) => sum + text.length, 0);
  sql.exec(
    "INSERT INTO passage_file (number, id, filename, attributes, passages, characters) VALUES (?, ?, ?, ?, ?, ?)",
    number,
    id,
    filename,
    JSON.stringify(attributes),
    passages.length,
    characters,
  );
  const from = number * filePassages;
  for (const [at, { text, start, end, headings, page }] of passages.entries()) {
    sql.exec(
      "INSERT INTO passage (id, start_at, end_at, headings, text, page) VALUES (?, ?, ?, ?, ?, ?)",
      from + at,
      start,
      end,
      JSON.stringify(headings),
      text,
      page ?? null,
    );
    insertWords(sql, { id: from + at, text, filename, headings });
  }
  const dimensions = vectors?.[0]?.length ?? 0;
  const perBlock = vectorsPerBlock(dimensions);
  for (let at = 0; at < (vectors?.length ?? 0); at += perBlock)
    sql.exec(
      "INSERT INTO passage_vectors (first, embedder, dimensions, vectors) VALUES (?, ?, ?, ?)",
      from + at,
      embedderId,
      dimensions,
      packVectors(vectors?.slice(at, at + perBlock) ?? [], dimensions),
    );
}

interface PassageWords {
  readonly id: number;
  readonly text: string;
  readonly filename: string;
  readonly headings: readonly string[];
}

/** As words.ts cuts them now. None of the passage may be there. */
export function insertWords(sql: Sql, { id, text, filename, headings }: PassageWords): void {
  sql.exec(
    "INSERT INTO passage_words (rowid, text, headings) VALUES (?, ?, ?)",
    id,
    wordsOf(text).join(" "),
    wordsOf(`${filename}\n${headings.join("\n")}`).join(" "),
  );
}

/** Within the caller's transaction. Its words stay in the index's segments. @returns whether there was such a file */
export function removeFile(sql: Sql, fileId: string): boolean {
  const [file] = sql
    .exec<{ number: number }>("DELETE FROM passage_file WHERE id = ? RETURNING number", fileId)
    .toArray();
  if (file === undefined) return false;
  const from = file.number * filePassages;
  const within = [from, from + filePassages - 1] as const;
  sql.exec("DELETE FROM passage_words WHERE rowid BETWEEN ? AND ?", ...within);
  sql.exec("DELETE FROM passage WHERE id BETWEEN ? AND ?", ...within);
  sql.exec("DELETE FROM passage_vectors WHERE first BETWEEN ? AND ?", ...within);
  return true;
}

/** All of them, within the caller's transaction. Their words go from the index as well. */
export function clearFiles(sql: Sql): void {
  sql.exec("INSERT INTO passage_words (passage_words) VALUES ('delete-all')");
  for (const table of ["passage", "passage_vectors", "passage_file"]) sql.exec(`DELETE FROM ${table}`);
}
