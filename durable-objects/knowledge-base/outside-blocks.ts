/**
 * Which blocks of a store's vectors are in the outside index as well? A row is written before its block is sent, and deleted when the index
 * has acknowledged the block's removal. So a row without its block is a removal that is still owed, whatever removed the block, and
 * whenever the object was killed.
 */
import { unpackVectors } from "../../src/shared/retrieval/vector-block.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import type { SqlTransactions } from "../storage/sql-port.ts";
import { OutsideProgress } from "./outside-progress.ts";
import type { TakenBlock } from "./outside-rules.ts";
import { outsideMigrations } from "./outside-tables.ts";

/** Blocks of one embedder, by their first passages. */
export interface OutsideBlocksOf {
  readonly embedderId: string;
  readonly blocks: readonly { readonly first: number; readonly passages: number }[];
}

export interface UnseenBlock extends TakenBlock {
  readonly first: number;
  readonly embedderId: string;
  /** Else one that was given up may have arrived, and what is found is of that. */
  readonly wasSentOnce: boolean;
}

type SentVector = { readonly id: number; readonly values: Float32Array };
type BlockRow = { first: number; passages: number; embedder: string };

/** The row's block is gone, or was made anew by another embedder. */
const lostBlock = "(v.first IS NULL OR v.embedder != b.embedder)";
const blocksOf = "outside_block b LEFT JOIN passage_vectors v ON v.first = b.first";
/** What was sent and not acknowledged is sent again. */
const unsentBlock = "(b.first IS NULL OR (b.taken_ms IS NULL AND b.embedder = v.embedder))";
const vectorsBeside = "passage_vectors v LEFT JOIN outside_block b ON b.first = v.first";
const passagesInBlock = "length(v.vectors) / (v.dimensions + 4)";

/** Before the tables are made only `areMade` and `open` may be used. They are made only where the passages' tables exist. */
export class OutsideBlocks {
  /** Only where the tables are made. */
  readonly progress: OutsideProgress;
  readonly #storage: SqlTransactions;
  readonly #tables: LazyTables;

  constructor(storage: SqlTransactions) {
    this.#storage = storage;
    this.progress = new OutsideProgress(storage.sql);
    this.#tables = new LazyTables(storage, outsideMigrations, "outside_schema_version");
  }

  get areMade(): boolean {
    return this.#tables.areMade;
  }

  open(): void {
    this.#tables.make();
  }

  get areAny(): boolean {
    return this.#has("SELECT 1 FROM outside_block LIMIT 1");
  }

  /** @param all whether all blocks are to be removed @returns when the earliest of the owed blocks was sent; `null`: none is owed */
  owedSentMs(all: boolean): number | null {
    return this.#storage.sql
      .exec<{ at: number | null }>(
        `SELECT min(b.sent_ms) AS at FROM ${blocksOf} WHERE ? OR ${lostBlock}`,
        Number(all),
      )
      .one().at;
  }

  /** Some of the owed blocks that were sent no later than this. From here on no search relies on the index for them. */
  takeOwed(all: boolean, sentByMs: number, mostPassages: number): OutsideBlocksOf | null {
    return this.#storage.transactionSync(() => {
      const owed = some(
        this.#storage.sql
          .exec<BlockRow>(
            `SELECT b.first AS first, b.passages AS passages, b.embedder AS embedder FROM ${blocksOf}
             WHERE (? OR ${lostBlock}) AND b.sent_ms <= ? ORDER BY b.first LIMIT ?`,
            Number(all),
            sentByMs,
            mostPassages,
          )
          .toArray(),
        mostPassages,
      );
      if (owed !== null)
        this.#storage.sql.exec(
          "UPDATE outside_block SET seen = NULL WHERE first IN (SELECT value FROM json_each(?))",
          firstsOf(owed),
        );
      return owed;
    });
  }

  removed(owed: OutsideBlocksOf, nowMs: number): void {
    const firsts = firstsOf(owed);
    this.#storage.transactionSync(() => {
      if (
        this.#has(
          "SELECT 1 FROM passage_vectors WHERE first IN (SELECT value FROM json_each(?)) AND embedder = ? LIMIT 1",
          firsts,
          owed.embedderId,
        )
      )
        this.progress.tookBack(nowMs);
      this.#storage.sql.exec(
        "DELETE FROM outside_block WHERE first IN (SELECT value FROM json_each(?))",
        firsts,
      );
    });
  }

  /** The index was replaced or emptied: all blocks are sent anew, and removed in the end whether they were there or not. */
  lost(): void {
    this.#storage.sql.exec(
      `UPDATE outside_block SET taken_ms = NULL, change = NULL, seen = NULL,
         sendings = CASE WHEN taken_ms IS NULL THEN sendings ELSE 0 END`,
    );
  }

  hasUnsent(dimensions: number): boolean {
    return this.#has(
      `SELECT 1 FROM ${vectorsBeside} WHERE v.dimensions = ? AND ${unsentBlock} LIMIT 1`,
      dimensions,
    );
  }

  /** Vectors that the index can't hold. */
  hasOther(dimensions: number): boolean {
    return this.#has("SELECT 1 FROM passage_vectors WHERE dimensions != ? LIMIT 1", dimensions);
  }

  /** The next to be sent. */
  unsent(dimensions: number, mostPassages: number): OutsideBlocksOf | null {
    return some(
      this.#storage.sql
        .exec<BlockRow>(
          `SELECT v.first AS first, ${passagesInBlock} AS passages, v.embedder AS embedder
           FROM ${vectorsBeside} WHERE v.dimensions = ? AND ${unsentBlock} ORDER BY v.first LIMIT ?`,
          dimensions,
          mostPassages,
        )
        .toArray(),
      mostPassages,
    );
  }

  /** Notes that the blocks are sent, and reads those that still exist. */
  send({ embedderId, blocks }: OutsideBlocksOf, nowMs: number): SentVector[] {
    return this.#storage.transactionSync(() =>
      blocks.flatMap(({ first }) => {
        const vectors = this.#vectors(first, embedderId);
        if (vectors.length > 0)
          this.#storage.sql.exec(
            `INSERT INTO outside_block (first, passages, embedder, sent_ms) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET passages = excluded.passages, embedder = excluded.embedder,
               sent_ms = excluded.sent_ms, sendings = sendings + 1`,
            first,
            vectors.length,
            embedderId,
            nowMs,
          );
        return vectors;
      }),
    );
  }

  /** The same for a block that was taken, which stays marked as taken. */
  sendAgain({ first, embedderId }: UnseenBlock, nowMs: number): SentVector[] {
    this.#storage.sql.exec("UPDATE outside_block SET sent_ms = ? WHERE first = ?", nowMs, first);
    return this.#vectors(first, embedderId);
  }

  #vectors(first: number, embedderId: string): SentVector[] {
    const [block] = this.#storage.sql
      .exec<{ dimensions: number; vectors: ArrayBuffer }>(
        "SELECT dimensions, vectors FROM passage_vectors WHERE first = ? AND embedder = ?",
        first,
        embedderId,
      )
      .toArray();
    if (block === undefined) return [];
    return unpackVectors(block.vectors, block.dimensions).map((values, at) => ({ id: first + at, values }));
  }

  taken(sent: OutsideBlocksOf, change: string | null, nowMs: number): void {
    this.#storage.sql.exec(
      "UPDATE outside_block SET taken_ms = ?, change = ? WHERE first IN (SELECT value FROM json_each(?))",
      nowMs,
      change,
      firstsOf(sent),
    );
  }

  /** Taken by the index, and not known to be found yet. */
  unseen(): UnseenBlock[] {
    return this.#storage.sql
      .exec<Omit<UnseenBlock, "wasSentOnce"> & { sendings: number } & Record<string, number | string | null>>(
        `SELECT first, embedder AS embedderId, sent_ms AS sentMs, taken_ms AS takenMs, change, sendings
         FROM outside_block WHERE seen IS NULL AND taken_ms IS NOT NULL`,
      )
      .toArray()
      .map(({ sendings, ...block }) => ({ ...block, wasSentOnce: sendings <= 1 }));
  }

  /** When the first of them was taken; `null`: there are none. */
  unseenTakenMs(): number | null {
    return this.#storage.sql
      .exec<{ at: number | null }>("SELECT min(taken_ms) AS at FROM outside_block WHERE seen IS NULL")
      .one().at;
  }

  /** The index finds these blocks: from the next search on they are not compared here. */
  seen(firsts: readonly number[]): void {
    if (firsts.length === 0) return;
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec(
        "UPDATE outside_block SET seen = ? WHERE first IN (SELECT value FROM json_each(?))",
        this.progress.nextMark(),
        JSON.stringify(firsts),
      );
    });
  }

  /** A search that begins now may leave to the index the blocks that were marked as found no later than this. `null`: none. */
  mark(embedderId: string): number | null {
    return this.#storage.sql
      .exec<{ mark: number | null }>(
        "SELECT max(seen) AS mark FROM outside_block WHERE seen IS NOT NULL AND embedder = ?",
        embedderId,
      )
      .one().mark;
  }

  /** A vector that the index is known to find; `null`: it finds none. */
  seenVector(): { readonly embedderId: string; readonly values: Float32Array } | null {
    const [block] = this.#storage.sql
      .exec<{ first: number; embedder: string }>(
        "SELECT first, embedder FROM outside_block WHERE seen IS NOT NULL AND change IS NOT NULL LIMIT 1",
      )
      .toArray();
    if (block === undefined) return null;
    const { first, embedder: embedderId } = block;
    const sample = this.sample({ first, embedderId });
    return sample === null ? null : { embedderId, values: sample.values };
  }

  /** A vector of a block that has a direction; `null`: it has none, or is gone. */
  sample({ first, embedderId }: Pick<UnseenBlock, "first" | "embedderId">): SentVector | null {
    const vectors = this.#vectors(first, embedderId);
    return vectors.find(({ values }) => values.some((value) => value !== 0)) ?? null;
  }

  /** The number of vectors with so many dimensions that the index is not known to find. */
  pending(dimensions: number): number {
    return this.#count("v.dimensions = ?", dimensions);
  }

  /** The number of an embedder's vectors that a search would compare here. */
  compared(embedderId: string): number {
    return this.#count("v.embedder = ?", embedderId);
  }

  /** The object's storage was deleted: what is sent next makes the tables anew. */
  forgotten(): void {
    this.#tables.wereDeleted();
  }

  #count(which: string, value: number | string): number {
    return this.#storage.sql
      .exec<{ n: number }>(
        `SELECT CAST(total(${passagesInBlock}) AS INTEGER) AS n FROM ${vectorsBeside}
         WHERE ${which} AND (b.seen IS NULL OR b.embedder != v.embedder)`,
        value,
      )
      .one().n;
  }

  #has(query: string, ...values: (number | string)[]): boolean {
    return this.#storage.sql.exec(query, ...values).toArray().length > 0;
  }
}

/** The first blocks of one embedder that together hold at most so many passages, but at least one block. */
function some(rows: readonly BlockRow[], mostPassages: number): OutsideBlocksOf | null {
  const [first] = rows;
  if (first === undefined) return null;
  const blocks: BlockRow[] = [];
  let passages = 0;
  for (const row of rows) {
    passages += row.passages;
    if (blocks.length > 0 && (passages > mostPassages || row.embedder !== first.embedder)) break;
    blocks.push(row);
  }
  return { embedderId: first.embedder, blocks };
}

function firstsOf({ blocks }: OutsideBlocksOf): string {
  return JSON.stringify(blocks.map(({ first }) => first));
}
