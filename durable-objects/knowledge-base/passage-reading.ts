/** What is told of passages that a search found? Only where the tables of passages are made. */
import type { Scored } from "../../src/shared/retrieval/best-few.ts";
import type { Attributes, FoundPassage } from "../../src/shared/retrieval/passage.ts";
import type { Sql } from "../storage/sql-port.ts";
import { fileOf, filePassages } from "./passage-tables.ts";

type FileRow = { number: number; id: string; filename: string; attributes: string };
type PassageRow = {
  id: number;
  start_at: number;
  end_at: number;
  headings: string;
  text: string;
  page: number | null;
};

/** In the order of `scored`, with its scores; what is there no more is left out. */
export function readPassages(sql: Sql, scored: readonly Scored[]): FoundPassage[] {
  const rows = new Map(
    sql
      .exec<PassageRow>(
        "SELECT id, start_at, end_at, headings, text, page FROM passage WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(scored.map(({ id }) => id)),
      )
      .toArray()
      .map((row) => [row.id, row] as const),
  );
  const files = filesOf(sql, new Set(scored.map(({ id }) => fileOf(id))));
  return scored.flatMap(({ id, score }) => {
    const row = rows.get(id);
    const file = files.get(fileOf(id));
    if (row === undefined || file === undefined) return [];
    return {
      fileId: file.id,
      filename: file.filename,
      attributes: JSON.parse(file.attributes) as Attributes,
      ordinal: id % filePassages,
      text: row.text,
      start: row.start_at,
      end: row.end_at,
      headings: JSON.parse(row.headings) as string[],
      ...(row.page === null ? {} : { page: row.page }),
      score,
    };
  });
}

function filesOf(sql: Sql, numbers: ReadonlySet<number>): ReadonlyMap<number, FileRow> {
  const files = sql
    .exec<FileRow>(
      "SELECT number, id, filename, attributes FROM passage_file WHERE number IN (SELECT value FROM json_each(?))",
      JSON.stringify([...numbers]),
    )
    .toArray();
  return new Map(files.map((file) => [file.number, file] as const));
}
