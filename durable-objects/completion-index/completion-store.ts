import type {
  ListCompletions,
  ListedCompletion,
  TellCompletion,
} from "../../src/shared/contracts/completion-index.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { erasureTables, ErasureStore } from "../storage/erasure-store.ts";
import type { RolledStore } from "../storage/index-roll-ports.ts";
import { OwnedTables } from "../storage/owned-tables.ts";
import { RollStore } from "../storage/roll-store.ts";

/**
 * The tables of one user's list of stored completions (docs/storage.md). Ordered by when they were asked for, which never
 * changes: a page never shows one twice nor leaves one out, whatever happens between two pages.
 *
 * Rows lie in the list's order, so that a narrowed list reads them one behind the other.
 */
const migrations = [
  `CREATE TABLE owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), tenant TEXT NOT NULL, user TEXT NOT NULL);
   CREATE TABLE entry (
     place INTEGER PRIMARY KEY, object_name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
     until_ms INTEGER NOT NULL, id TEXT, model TEXT, metadata TEXT);`,
  erasureTables,
  `CREATE TABLE unlisted (
     object_name TEXT PRIMARY KEY, place INTEGER NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;`,
];

/** Places in the list for each millisecond. Where they are all taken, one of the next is. */
const placesPerMs = 1024;

/** How long a deletion is remembered, so that a late message does not bring a completion back, and a page goes on behind it. */
const rememberedMs = 86_400_000;

type Known = { place: number; revision: number; id: string | null };

export class CompletionStore implements RolledStore {
  readonly roll: RollStore;
  readonly erasure: ErasureStore;
  readonly #storage: DurableObjectStorage;
  readonly #tables: OwnedTables;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#tables = new OwnedTables(storage, migrations);
    this.#sql = this.#tables.sql;
    this.roll = new RollStore(this.#sql);
    this.erasure = new ErasureStore(this.#sql);
  }

  owner(): Owner | null {
    return this.#tables.owner();
  }

  open(owner: Owner): void {
    this.#tables.write(owner, () => undefined);
  }

  tell({ owner, objectName, revision, createdMs, entry }: TellCompletion, nowMs: number): void {
    this.#tables.write(owner, () => {
      const known = this.#known(objectName);
      if (known !== null && known.revision >= revision) return;
      // A name that is used again belongs to another turn, with a time of its own.
      const isAnother = known === null || (known.id === null && entry !== null);
      const place = isAnother ? this.#freePlace(createdMs) : known.place;
      this.#sql.exec("DELETE FROM unlisted WHERE object_name = ?", objectName);
      this.#sql.exec(
        "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
        place,
        objectName,
        revision,
        entry?.untilMs ?? nowMs + rememberedMs,
        entry?.id ?? null,
        entry?.model ?? null,
        entry?.metadata ?? null,
      );
      if (entry !== null && this.erasure.covers(createdMs))
        this.#doomThrough(this.erasure.throughMs(), nowMs);
    });
  }

  doomThrough(throughMs: number, nowMs: number): void {
    this.#storage.transactionSync(() => this.#doomThrough(throughMs, nowMs));
  }

  holdsAny(): boolean {
    const kept = this.#sql.exec(
      "SELECT 1 FROM entry WHERE id IS NOT NULL UNION ALL SELECT 1 FROM unlisted LIMIT 1",
    );
    return kept.toArray().length > 0;
  }

  isEmpty(nowMs: number): boolean {
    const kept = this.#sql.exec(
      "SELECT 1 FROM entry WHERE until_ms > ?1 UNION ALL SELECT 1 FROM unlisted WHERE until_ms > ?1 LIMIT 1",
      nowMs,
    );
    return kept.toArray().length === 0;
  }

  /** One more than `limit` tells of the next page; `null`: there is, and lately was, no completion of the object `after`. */
  page(
    { after, order, model, metadata }: Pick<ListCompletions, "after" | "order" | "model" | "metadata">,
    limit: number,
    nowMs: number,
  ): ListedCompletion[] | null {
    if (!this.#tables.areMade) return after === null ? [] : null;
    const wanted = ["id IS NOT NULL", "until_ms > ?"];
    const given: (string | number)[] = [nowMs];
    if (after !== null) {
      const behind = this.#known(after);
      if (behind === null) return null;
      wanted.push(`place ${order === "asc" ? ">" : "<"} ?`);
      given.push(behind.place);
    }
    if (model !== null) {
      wanted.push("model = ?");
      given.push(model);
    }
    // The pair's text is quickly searched for in all metadata; but a value can contain such a text, so the pairs are compared as well.
    for (const [key, value] of metadata) {
      wanted.push("instr(metadata, ?) > 0");
      given.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    }
    for (const pair of metadata) {
      wanted.push(
        "EXISTS (SELECT 1 FROM json_each(entry.metadata) pair WHERE pair.key = ? AND pair.value = ?)",
      );
      given.push(...pair);
    }
    return this.#sql
      .exec<{ id: string; object_name: string }>(
        `SELECT id, object_name FROM entry WHERE ${wanted.join(" AND ")}
         ORDER BY place ${order === "asc" ? "ASC" : "DESC"} LIMIT ?`,
        ...given,
        limit,
      )
      .toArray()
      .map(({ id, object_name: objectName }) => ({ id, objectName }));
  }

  /**
   * Removes expired entries, and the oldest above `most`: an erasure still finds the latter, since their objects keep them.
   * @returns when the next is over; `null`: nothing is left
   */
  sweep(most: number, nowMs: number): number | null {
    if (!this.#tables.areMade) return null;
    return this.#storage.transactionSync(() => {
      for (const table of ["entry", "unlisted"])
        this.#sql.exec(`DELETE FROM ${table} WHERE until_ms <= ?`, nowMs);
      const oldest = "place <= (SELECT place FROM entry ORDER BY place DESC LIMIT 1 OFFSET ?)";
      this.#sql.exec(
        `INSERT OR REPLACE INTO unlisted SELECT object_name, place, until_ms FROM entry WHERE id IS NOT NULL AND ${oldest}`,
        most,
      );
      this.#sql.exec(`DELETE FROM entry WHERE ${oldest}`, most);
      return this.#sql
        .exec<{ next: number | null }>(
          "SELECT min(until_ms) AS next FROM (SELECT until_ms FROM entry UNION ALL SELECT until_ms FROM unlisted)",
        )
        .one().next;
    });
  }

  /** Deletes everything, the alarm as well. Nothing else may run until it is done. */
  erase(): Promise<void> {
    return this.#tables.erase();
  }

  #doomThrough(throughMs: number, nowMs: number): void {
    const end = (throughMs + 1) * placesPerMs;
    this.erasure.doom("entry", "id IS NOT NULL AND place < ?", end);
    this.erasure.doom("unlisted", "place < ?", end);
    this.#sql.exec("DELETE FROM unlisted WHERE place < ?", end);
    this.#sql.exec(
      "UPDATE entry SET id = NULL, model = NULL, metadata = NULL, until_ms = ? WHERE id IS NOT NULL AND place < ?",
      nowMs + rememberedMs,
      end,
    );
  }

  #known(objectName: string): Known | null {
    return (
      this.#sql
        .exec<Known>("SELECT place, revision, id FROM entry WHERE object_name = ?", objectName)
        .toArray()[0] ?? null
    );
  }

  #freePlace(createdMs: number): number {
    const first = createdMs * placesPerMs;
    const next = first + placesPerMs;
    const [last] = this.#sql
      .exec<{ place: number }>(
        "SELECT place FROM entry WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1",
        first,
        next,
      )
      .toArray();
    if (last === undefined) return first;
    return last.place + 1 < next ? last.place + 1 : this.#freePlace(createdMs + 1);
  }
}
