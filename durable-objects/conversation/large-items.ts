/**
 * A conversation's items that are too long for their row: `item.json` says that they lie elsewhere, a row here says where and how long they
 * are, and their text lies in parts beside it until the bucket has it. So a turn is saved whole in one transaction, whatever the bucket does;
 * the object's duties bring the text there (conversation-duties.ts), and take it out again once its item is gone.
 *
 * Only SQL, but for `moveNext`. Tables are made by the first such item: most conversations have none.
 */
import {
  type ContentBucket,
  elsewhere,
  isLonger,
  maxInlineBytes,
  partsOf,
} from "../../src/shared/content/large-content.ts";
import { type ItemUnits, unitsRead } from "../../src/shared/turn/durable/history-window.ts";
import { ContentLedger } from "../storage/content-ledger.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import { summaryUnits } from "./summaries.ts";

const migrations = [
  `CREATE TABLE large_item (
     sequence INTEGER PRIMARY KEY, key TEXT, intended TEXT,
     units INTEGER NOT NULL, units_read INTEGER NOT NULL, units_summary INTEGER NOT NULL);
   CREATE TABLE large_part (
     sequence INTEGER NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (sequence, part)) WITHOUT ROWID;`,
];

/** What a row holds where there is no bucket: a SQLite value has 2 MB at most. */
const maxRowBytes = 1_500_000;

export class LargeItems {
  readonly ledger: ContentLedger;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;
  readonly #maxInlineBytes: number;

  /** @param hasBucket whether there is one that it is worth to bring content to */
  constructor(storage: DurableObjectStorage, hasBucket: boolean) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.ledger = new ContentLedger(storage);
    this.#tables = new LazyTables(storage, migrations, "large_schema_version");
    this.#maxInlineBytes = hasBucket ? maxInlineBytes : maxRowBytes;
  }

  /** What goes into the item's row, in whose transaction it is called: the text itself, or that it lies elsewhere. */
  write(sequence: number, json: string): string {
    if (!isLonger(json, this.#maxInlineBytes)) return json;
    this.#tables.make();
    this.#sql.exec(
      "INSERT INTO large_item VALUES (?, NULL, NULL, ?, ?, ?)",
      sequence,
      json.length,
      unitsRead(json),
      summaryUnits(json),
    );
    let part = 0;
    for (const text of partsOf(json)) {
      this.#sql.exec("INSERT INTO large_part VALUES (?, ?, ?)", sequence, part, text);
      part += 1;
    }
    return elsewhere;
  }

  /** How long an item is whose text lies elsewhere. Of one that nothing is known of, nothing: whoever reads it is told. */
  units(sequence: number): ItemUnits {
    const row = this.#row(sequence);
    return { held: row?.units ?? 0, read: row?.units_read ?? 0, summary: row?.units_summary ?? 0 };
  }

  /** Its text, or the key that the bucket has it under. `null`: neither, since it was taken out or has been lost. */
  place(
    sequence: number,
  ): { readonly text: string } | { readonly key: string; readonly units: number } | null {
    const row = this.#row(sequence);
    if (row === null) return null;
    if (row.key !== null) return { key: row.key, units: row.units };
    const text = this.#text(sequence);
    return text.length === row.units ? { text } : null;
  }

  /** In the transaction that takes its item out. */
  remove(sequence: number, nowMs: number): void {
    const row = this.#row(sequence);
    if (row === null) return;
    if (row.key !== null) this.ledger.doom(row.key, nowMs);
    this.#sql.exec("DELETE FROM large_part WHERE sequence = ?", sequence);
    this.#sql.exec("DELETE FROM large_item WHERE sequence = ?", sequence);
  }

  /** In the transaction that takes all items out. */
  removeAll(nowMs: number): void {
    if (!this.#tables.areMade) return;
    this.ledger.doomAll(nowMs);
    for (const table of ["large_part", "large_item"]) this.#sql.exec(`DELETE FROM ${table}`);
  }

  /** Code of before these tables takes out an item alone: what it left here goes as well. Whether there was some. */
  removeLeft(nowMs: number): boolean {
    if (!this.#tables.areMade) return false;
    const left = this.#sql
      .exec<{ sequence: number }>(
        `SELECT l.sequence AS sequence FROM large_item l LEFT JOIN item i ON i.sequence = l.sequence
         WHERE i.json IS NOT ?`,
        elsewhere,
      )
      .toArray();
    if (left.length > 0)
      this.#storage.transactionSync(() => {
        for (const { sequence } of left) this.remove(sequence, nowMs);
      });
    return left.length > 0;
  }

  /** Whether one lies here that the bucket should have. */
  get hasToMove(): boolean {
    return this.#tables.areMade && this.#next() !== null;
  }

  /**
   * Brings one item's text to the bucket. `false`: there is none to bring. Rejects where the bucket does not take it: it stays where it is.
   *
   * @param newKey names its place; asked before anything is written
   */
  async moveNext(bucket: ContentBucket, newKey: (sequence: number) => Promise<string>): Promise<boolean> {
    const sequence = this.#tables.areMade ? this.#next() : null;
    if (sequence === null) return false;
    const key = await newKey(sequence);
    const place = this.place(sequence);
    // Taken out meanwhile; or of its parts one is lost, and whoever reads it is told.
    if (place === null || !("text" in place)) return this.#row(sequence) === null;
    this.#storage.transactionSync(() => {
      this.ledger.intend(key, Date.now());
      this.#sql.exec("UPDATE large_item SET intended = ? WHERE sequence = ?", key, sequence);
    });
    await bucket.put(key, place.text);
    this.#storage.transactionSync(() => {
      // Its item may have gone meanwhile, and another may stand in its place.
      if (this.#row(sequence)?.intended !== key || !this.ledger.hold(key)) {
        this.ledger.doom(key, Date.now());
        return;
      }
      this.#sql.exec("UPDATE large_item SET key = ?, intended = NULL WHERE sequence = ?", key, sequence);
      this.#sql.exec("DELETE FROM large_part WHERE sequence = ?", sequence);
    });
    return true;
  }

  #next(): number | null {
    const [row] = this.#sql
      .exec<{ sequence: number }>(
        "SELECT sequence FROM large_item WHERE key IS NULL ORDER BY sequence LIMIT 1",
      )
      .toArray();
    return row?.sequence ?? null;
  }

  #text(sequence: number): string {
    return this.#sql
      .exec<{ text: string }>("SELECT text FROM large_part WHERE sequence = ? ORDER BY part", sequence)
      .toArray()
      .map(({ text }) => text)
      .join("");
  }

  #row(sequence: number): LargeRow | null {
    if (!this.#tables.areMade) return null;
    return (
      this.#sql.exec<LargeRow>("SELECT * FROM large_item WHERE sequence = ?", sequence).toArray()[0] ?? null
    );
  }
}

type LargeRow = {
  sequence: number;
  /** `null`: in parts. */
  key: string | null;
  /** Where its text is on its way to, or was once. */
  intended: string | null;
  units: number;
  units_read: number;
  units_summary: number;
};
