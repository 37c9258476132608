/** Node's SQLite behind the port of an object's store, so that the same SQL runs without workerd. */
import { DatabaseSync } from "node:sqlite";
import type { Sql, SqlRows, SqlTransactions, SqlValue } from "../../durable-objects/storage/sql-port.ts";

export class NodeSql implements SqlTransactions {
  readonly sql: Sql;
  readonly #database: DatabaseSync;
  #depth = 0;

  /** @param path absent: in memory */
  constructor(path = ":memory:") {
    this.#database = new DatabaseSync(path);
    this.sql = {
      exec: <Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): SqlRows<Row> => {
        // Several statements at once, as in migrations, have no bindings.
        if (bindings.length === 0 && query.includes(";")) {
          this.#database.exec(query);
          return rowsOf<Row>([]);
        }
        const statement = this.#database.prepare(query);
        const values = bindings.map((value) =>
          value instanceof ArrayBuffer ? new Uint8Array(value) : value,
        );
        return rowsOf(statement.all(...values).map((row) => withBuffers<Row>(row)));
      },
    };
  }

  transactionSync<T>(closure: () => T): T {
    const name = `nested_${this.#depth}`;
    this.#depth += 1;
    this.#database.exec(`SAVEPOINT ${name}`);
    try {
      const value = closure();
      this.#database.exec(`RELEASE ${name}`);
      return value;
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function rowsOf<Row>(rows: Row[]): SqlRows<Row> {
  return {
    toArray: () => rows,
    one: () => {
      const [first] = rows;
      if (first === undefined || rows.length > 1)
        throw new Error(`one row was asked for, there are ${rows.length}`);
      return first;
    },
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}

/** Returns bytes in separate buffers, as an object's SQLite does. */
function withBuffers<Row>(row: Record<string, unknown>): Row {
  for (const [name, value] of Object.entries(row))
    if (value instanceof Uint8Array) row[name] = value.slice().buffer;
  return row as Row;
}
