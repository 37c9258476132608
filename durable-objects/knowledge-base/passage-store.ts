/**
 * The passages of one vector store, and what finds them: words by FTS5's BM25, vectors by comparing all of them. All of a file is
 * written, and goes, in one transaction (passage-rows.ts); nothing here waits.
 */
import { type AttributeFilter, meetsFilter } from "../../src/shared/retrieval/attribute-filter.ts";
import { BestFew, type Scored } from "../../src/shared/retrieval/best-few.ts";
import type {
  SearchedFiles,
  SearchedIndex,
  SearchedStore,
} from "../../src/shared/retrieval/find-passages.ts";
import type { Attributes, FoundPassage } from "../../src/shared/retrieval/passage.ts";
import { blockCosines, toQueryVector } from "../../src/shared/retrieval/vector-block.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import type { SqlTransactions } from "../storage/sql-port.ts";
import { readPassages } from "./passage-reading.ts";
import { isRecutDue, recutSome } from "./passage-recut.ts";
import { clearFiles, type FilePassages, insertFile, removeFile } from "./passage-rows.ts";
import { fileOf, filePassages, passageMigrations } from "./passage-tables.ts";
import { eraseSomeWords } from "./removed-words.ts";
import { wordQuery } from "./word-query.ts";

/** The weight of a word in headings or in the file's name, relative to one in the text. */
const headingWeight = 0.5;

/** Blocks that an index outside finds (outside-blocks.ts). */
const seenOutside = "AND first NOT IN (SELECT first FROM outside_block WHERE embedder = ? AND seen <= ?)";

export interface PassageCounts {
  readonly files: number;
  readonly passages: number;
  /** UTF-16 units of all passages, what they repeat included. */
  readonly characters: number;
}

export class PassageStore implements SearchedStore {
  readonly #storage: SqlTransactions;
  readonly #tables: LazyTables;

  constructor(storage: SqlTransactions) {
    this.#storage = storage;
    this.#tables = new LazyTables(storage, passageMigrations, "passage_schema_version");
  }

  /** Makes the tables. Before a transaction that puts something: one that is undone would take them back, and what follows at once did not know. */
  open(): void {
    this.#tables.make();
  }

  /** Takes the place of what the file had. The same again changes nothing that is found. */
  put(file: FilePassages): void {
    const { passages, vectors } = file;
    if (passages.length >= filePassages) throw new RangeError("a file of too many passages");
    if (vectors !== null && vectors.length !== passages.length)
      throw new RangeError("as many vectors as passages");
    this.open();
    this.#storage.transactionSync(() => {
      removeFile(this.#storage.sql, file.id);
      insertFile(this.#storage.sql, file);
      this.#changed();
    });
  }

  /** `false`: there is no such file. */
  remove(fileId: string): boolean {
    if (!this.#tables.areMade) return false;
    return this.#storage.transactionSync(() => {
      const removed = removeFile(this.#storage.sql, fileId);
      if (removed) this.#changed();
      return removed;
    });
  }

  /** All files, with their words: at once, where taking out 50,000 passages one by one takes 20 s. `false`: there were none. */
  removeAll(): boolean {
    if (!this.#tables.areMade || this.counts().files === 0) return false;
    this.#storage.transactionSync(() => {
      clearFiles(this.#storage.sql);
      this.#changed();
    });
    return true;
  }

  /**
   * Words of what was removed stay in the index's segments until these are merged, which writes the whole index anew: in parts, since that of
   * a large store takes many seconds.
   *
   * @returns whether none are left
   */
  eraseRemovedWords(): boolean {
    return !this.#tables.areMade || eraseSomeWords(this.#storage.sql);
  }

  /** Whether an older version cut its words: see passage-recut.ts. */
  isRecutDue(): boolean {
    return this.#tables.areMade && isRecutDue(this.#storage.sql);
  }

  recutSome(): void {
    if (this.#tables.areMade) recutSome(this.#storage);
  }

  /** `false`: there is no such file. */
  setAttributes(fileId: string, attributes: Attributes): boolean {
    if (!this.#tables.areMade) return false;
    return this.#storage.transactionSync(() => {
      const changed = this.#storage.sql
        .exec(
          "UPDATE passage_file SET attributes = ? WHERE id = ? RETURNING 1",
          JSON.stringify(attributes),
          fileId,
        )
        .toArray();
      if (changed.length > 0) this.#changed();
      return changed.length > 0;
    });
  }

  /** Goes up with every change of what could be found; never goes back. */
  contentVersion(): string {
    if (!this.#tables.areMade) return "0";
    const { version } = this.#storage.sql
      .exec<{ version: number }>("SELECT version FROM passage_content")
      .one();
    return String(version);
  }

  counts(): PassageCounts {
    if (!this.#tables.areMade) return { files: 0, passages: 0, characters: 0 };
    return this.#storage.sql
      .exec<{ files: number; passages: number; characters: number }>(
        "SELECT count(*) AS files, coalesce(sum(passages), 0) AS passages, coalesce(sum(characters), 0) AS characters FROM passage_file",
      )
      .one();
  }

  /** What made a file's vectors; `null`: it has none here. */
  embedderOf(fileId: string): string | null {
    if (!this.#tables.areMade) return null;
    const [block] = this.#storage.sql
      .exec<{ embedder: string }>(
        `SELECT embedder FROM passage_vectors, passage_file
         WHERE passage_file.id = ? AND first = number * ${filePassages}`,
        fileId,
      )
      .toArray();
    return block?.embedder ?? null;
  }

  /** Passages of these files. */
  countWithin(files: SearchedFiles): number {
    if (files === "all" || !this.#tables.areMade) return this.counts().passages;
    return this.#storage.sql
      .exec<{ n: number }>(
        `SELECT CAST(total(passages) AS INTEGER) AS n FROM passage_file
         WHERE number IN (SELECT value FROM json_each(?))`,
        JSON.stringify(files),
      )
      .one().n;
  }

  /** Ids of a file's passages, in order, for vectors that lie elsewhere. */
  passageIds(fileId: string): readonly number[] {
    if (!this.#tables.areMade) return [];
    const [file] = this.#storage.sql
      .exec<{ number: number; passages: number }>(
        "SELECT number, passages FROM passage_file WHERE id = ?",
        fileId,
      )
      .toArray();
    return Array.from({ length: file?.passages ?? 0 }, (_, at) => (file?.number ?? 0) * filePassages + at);
  }

  /** The files whose attributes meet a filter. */
  filesThatMeet(filter: AttributeFilter | null): SearchedFiles {
    if (filter === null || !this.#tables.areMade) return "all";
    const numbers: number[] = [];
    const files = this.#storage.sql.exec<{ number: number; attributes: string }>(
      "SELECT number, attributes FROM passage_file",
    );
    for (const { number, attributes } of files)
      if (meetsFilter(JSON.parse(attributes) as Attributes, filter)) numbers.push(number);
    return numbers;
  }

  /** Ids by BM25, best first. Any text is a query; of most of them only the words that say something are looked up. */
  byWords(query: string, limit: number, files: SearchedFiles): readonly number[] {
    const match = wordQuery(query);
    if (!this.#tables.areMade || match === null || files.length === 0) return [];
    const within = files === "all" ? "" : `AND rowid / ${filePassages} IN (SELECT value FROM json_each(?))`;
    return this.#storage.sql
      .exec<{ id: number }>(
        `SELECT rowid AS id FROM passage_words WHERE passage_words MATCH ? AND rank MATCH 'bm25(1.0, ${headingWeight})' ${within}
         ORDER BY rank, rowid LIMIT ?`,
        match,
        ...(files === "all" ? [] : [JSON.stringify(files)]),
        limit,
      )
      .toArray()
      .map(({ id }) => id);
  }

  /** Ids by cosine, best first, of vectors that the same embedder made. One block is in memory at a time. */
  byVector(
    vector: Float32Array,
    embedderId: string,
    limit: number,
    files: SearchedFiles,
    covered: SearchedIndex["covers"] | null = null,
  ): readonly Scored[] {
    if (!this.#tables.areMade || files.length === 0 || covered === "all") return [];
    const query = toQueryVector(vector);
    if (query.places.length === 0) return [];
    const best = new BestFew(limit);
    const within = files === "all" ? "" : `AND first / ${filePassages} IN (SELECT value FROM json_each(?))`;
    const blocks = this.#storage.sql.exec<{ first: number; vectors: ArrayBuffer }>(
      `SELECT first, vectors FROM passage_vectors WHERE embedder = ? AND dimensions = ? ${within}
       ${covered === null ? "" : seenOutside}`,
      embedderId,
      vector.length,
      ...(files === "all" ? [] : [JSON.stringify(files)]),
      ...(covered === null ? [] : [embedderId, covered]),
    );
    for (const { first, vectors } of blocks)
      for (const [at, cosine] of blockCosines(vectors, query).entries()) best.add(first + at, cosine);
    return best.toArray();
  }

  within(found: readonly Scored[], files: SearchedFiles): readonly Scored[] {
    if (found.length === 0 || !this.#tables.areMade) return [];
    const numbers = files === "all" ? null : new Set(files);
    const there = new Set(
      this.#storage.sql
        .exec<{ id: number }>(
          "SELECT id FROM passage WHERE id IN (SELECT value FROM json_each(?))",
          JSON.stringify(found.map(({ id }) => id)),
        )
        .toArray()
        .map(({ id }) => id),
    );
    return found.filter(({ id }) => there.has(id) && numbers?.has(fileOf(id)) !== false);
  }

  /** In the order of `scored`, with its scores; what is there no more is left out. */
  passages(scored: readonly Scored[]): FoundPassage[] {
    return !this.#tables.areMade || scored.length === 0 ? [] : readPassages(this.#storage.sql, scored);
  }

  /** The object's storage was deleted: the next file makes the tables anew. */
  forgotten(): void {
    this.#tables.wereDeleted();
  }

  #changed(): void {
    this.#storage.sql.exec("UPDATE passage_content SET version = version + 1");
  }
}
