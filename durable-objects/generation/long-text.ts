/**
 * Texts of any length in a table whose values hold 2 MB: short ones stay in their own column, long ones are cut into
 * parts of a table that is made only when it is needed (most turns never do: tables are billed as rows too).
 */
const maxInlineUnits = 300_000;
const partUnits = 600_000;

export class LongText {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What goes into the column: the text, or `null` after its parts were written under `name`. Call it in the transaction of the row. */
  write(name: string, text: string): string | null {
    if (text.length <= maxInlineUnits) return text;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS overflow (name TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (name, part)) WITHOUT ROWID",
    );
    this.#sql.exec("DELETE FROM overflow WHERE name = ?", name);
    let part = 0;
    for (let at = 0; at < text.length; part += 1) {
      let end = Math.min(at + partUnits, text.length);
      // A surrogate pair is not cut in two: each half alone would be stored as U+FFFD.
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
      this.#sql.exec("INSERT INTO overflow VALUES (?, ?, ?)", name, part, text.slice(at, end));
      at = end;
    }
    return null;
  }

  /** `null` where neither the column nor parts hold one. */
  read(name: string, column: string | null): string | null {
    if (column !== null || !this.#exists()) return column;
    const parts = this.#sql
      .exec<{ text: string }>("SELECT text FROM overflow WHERE name = ? ORDER BY part", name)
      .toArray();
    return parts.length === 0 ? null : parts.map((part) => part.text).join("");
  }

  drop(name: string): void {
    if (this.#exists()) this.#sql.exec("DELETE FROM overflow WHERE name = ?", name);
  }

  #exists(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'overflow'").toArray().length > 0;
  }
}
