import type { DeletionRecord } from "../../src/shared/contracts/conversation-index.ts";

/**
 * Deletions of the conversations that had this name before the last one that was deleted: each stays until the index has it as
 * it is, and every turn's object has confirmed. The last deletion's own record stands beside the head.
 */
export class DeletionRecords {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  keep(record: DeletionRecord): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO earlier_deletion VALUES (?, ?, 0)",
      record.id,
      JSON.stringify(record),
    );
  }

  /** The oldest that the index does not have as it is; `null`: it has all. */
  untold(): DeletionRecord | null {
    const untold = this.#records("SELECT record FROM earlier_deletion WHERE told = 0");
    return untold.toSorted((a, b) => a.deletedMs - b.deletedMs)[0] ?? null;
  }

  told({ id, turnsPending }: DeletionRecord): void {
    if (turnsPending === 0) this.#sql.exec("DELETE FROM earlier_deletion WHERE id = ?", id);
    else this.#sql.exec("UPDATE earlier_deletion SET told = 1 WHERE id = ?", id);
  }

  /** So many turns are pending in all: no deletion waits for more. Whether one changed. */
  mostPending(most: number): boolean {
    const records = this.#records("SELECT record FROM earlier_deletion");
    const changed = records.filter(({ turnsPending }) => turnsPending > most);
    for (const record of changed) this.keep({ ...record, turnsPending: most });
    return changed.length > 0;
  }

  #records(query: string): DeletionRecord[] {
    return this.#sql
      .exec<{ record: string }>(query)
      .toArray()
      .map(({ record }) => JSON.parse(record) as DeletionRecord);
  }
}
