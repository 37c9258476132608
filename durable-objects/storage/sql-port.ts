/** The part of an object's SQLite that a store needs: SqlStorage has it, and in Node a few lines over `node:sqlite` provide it. */

export type SqlValue = ArrayBuffer | string | number | null;

export interface Sql {
  exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): SqlRows<Row>;
}

export interface SqlRows<Row> {
  toArray(): Row[];
  /** Throws where there is not exactly one. */
  one(): Row;
  [Symbol.iterator](): Iterator<Row>;
}

export interface SqlTransactions {
  readonly sql: Sql;
  /** All of it, or nothing where it throws. */
  transactionSync<T>(closure: () => T): T;
}
