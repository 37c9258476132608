/** What a store needs of an object's SQLite: SqlStorage has it, and in Node a few lines over `node:sqlite` do. */

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
