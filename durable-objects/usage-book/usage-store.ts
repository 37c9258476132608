import {
  type BookUsage,
  type ReadUsage,
  type UsageLine,
  type UsageTotal,
  usageGroups,
} from "../../src/shared/contracts/usage-book.ts";
import { LazyTables } from "../storage/lazy-tables.ts";

/**
 * The tables of one tenant's usage book (docs/storage.md). A row a day, org and model, with counts that only grow: a merge is the
 * larger of each, whatever the order and however often.
 */
const migrations = [
  `CREATE TABLE owner (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), tenant TEXT NOT NULL);
   CREATE TABLE used (
     date TEXT NOT NULL, org TEXT NOT NULL, model TEXT NOT NULL,
     requests INTEGER NOT NULL, tokens INTEGER NOT NULL, microdollars INTEGER NOT NULL,
     PRIMARY KEY (date, org, model)) WITHOUT ROWID;`,
];

type Range = Pick<ReadUsage, "from" | "until" | "org" | "model">;

export class UsageStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#tables = new LazyTables(storage, migrations);
  }

  /** `null`: it has no owner yet. */
  tenant(): string | null {
    if (!this.#tables.areMade) return null;
    return this.#sql.exec<{ tenant: string }>("SELECT tenant FROM owner").toArray()[0]?.tenant ?? null;
  }

  book({ tenant, org, days }: BookUsage): void {
    this.#tables.make();
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT OR IGNORE INTO owner VALUES (1, ?)", tenant);
      for (const { date, uses } of days)
        for (const { model, requests, tokens, microdollars } of uses)
          this.#sql.exec(
            `INSERT INTO used VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
               requests = max(requests, excluded.requests), tokens = max(tokens, excluded.tokens),
               microdollars = max(microdollars, excluded.microdollars)
             WHERE excluded.requests > requests OR excluded.tokens > tokens OR excluded.microdollars > microdollars`,
            date,
            org,
            model,
            requests,
            tokens,
            microdollars,
          );
    });
  }

  lines({ groups, after, ...range }: Omit<ReadUsage, "v" | "tenant" | "limit">, limit: number): UsageLine[] {
    if (!this.#tables.areMade) return [];
    const columns = usageGroups.filter((group) => groups.includes(group));
    const behind = after !== null && columns.length > 0 && after.length === columns.length;
    // The rows before the page's own day need not be read again for each page.
    const day = behind && columns[0] === "date" ? (after[0] ?? "") : "";
    const { where, given } = narrowed(day > range.from ? { ...range, from: day } : range);
    const names = columns.join(", ");
    return this.#sql
      .exec<UsageLine & Record<string, SqlStorageValue>>(
        `SELECT ${usageGroups.map((group) => (groups.includes(group) ? group : `NULL AS ${group}`)).join(", ")},
           sum(requests) AS requests, sum(tokens) AS tokens, sum(microdollars) AS microdollars
         FROM used WHERE ${where}${behind ? ` AND (${names}) > (${columns.map(() => "?").join(", ")})` : ""}
         ${columns.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${names} ORDER BY ${names}`} LIMIT ?`,
        ...given,
        ...(behind ? after : []),
        limit,
      )
      .toArray();
  }

  total(range: Range): UsageTotal {
    if (!this.#tables.areMade) return { requests: 0, tokens: 0, microdollars: 0 };
    const { where, given } = narrowed(range);
    return this.#sql
      .exec<UsageTotal & Record<string, number>>(
        `SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(tokens), 0) AS tokens,
           coalesce(sum(microdollars), 0) AS microdollars FROM used WHERE ${where}`,
        ...given,
      )
      .one();
  }

  /** Forgets what is before this date, and the oldest days above `most` rows. @returns whether anything is left */
  sweep(first: string, most: number): boolean {
    if (!this.#tables.areMade) return false;
    return this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM used WHERE date < ?", first);
      this.#sql.exec(
        "DELETE FROM used WHERE date <= (SELECT date FROM used ORDER BY date DESC LIMIT 1 OFFSET ?)",
        most,
      );
      return this.#sql.exec("SELECT 1 FROM used LIMIT 1").toArray().length > 0;
    });
  }

  /** Deletes everything, the alarm as well. Nothing else may run until it is done. */
  async erase(): Promise<void> {
    await this.#storage.deleteAll();
    this.#tables.wereDeleted();
  }
}

function narrowed({ from, until, org, model }: Range): { readonly where: string; readonly given: string[] } {
  const where = ["date >= ?", "date < ?"];
  const given = [from, until];
  if (org !== null) {
    where.push("org = ?");
    given.push(org);
  }
  if (model !== null) {
    where.push("model = ?");
    given.push(model);
  }
  return { where: where.join(" AND "), given };
}
