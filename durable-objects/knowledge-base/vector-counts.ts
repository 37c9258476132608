/** How many vectors does a store hold? Only where the tables of its passages are made. */
import type { Sql } from "../storage/sql-port.ts";
import { filePassages } from "./passage-tables.ts";

/** As vector-block.ts packs them. Reads no block. */
const vectors = "CAST(total(length(vectors) / (dimensions + 4)) AS INTEGER) AS n FROM passage_vectors";

/** Of an embedder's. */
export function vectorsOf(sql: Sql, embedderId: string): number {
  return sql.exec<{ n: number }>(`SELECT ${vectors} WHERE embedder = ?`, embedderId).one().n;
}

/** Of so many dimensions, in all files but this one. */
export function vectorsBeside(sql: Sql, fileId: string, dimensions: number): number {
  return sql
    .exec<{ n: number }>(
      `SELECT ${vectors} WHERE dimensions = ?
         AND first / ${filePassages} NOT IN (SELECT number FROM passage_file WHERE id = ?)`,
      dimensions,
      fileId,
    )
    .one().n;
}
