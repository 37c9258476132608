/** The archive's Database through postgres.js: in the archiver behind Hyperdrive, and in `npm run archive` directly. */
import postgres from "postgres";
import type { Database, Query, Row } from "../../src/shared/archive/database.ts";

export interface Connection {
  readonly database: Database;
  /** Lets what runs finish for so many seconds, then closes. */
  end(withinSeconds: number): Promise<void>;
}

/**
 * Connects on first use. Named types are not fetched (a round trip that this schema does not need), and a Worker opens six
 * connections at most.
 *
 * @param url a secret: it holds the password
 */
export function connect(url: string): Connection {
  const client = postgres(url, {
    max: 5,
    fetch_types: false,
    prepare: false,
    connect_timeout: 10,
    // "There is a transaction in progress" and the like: nothing that anybody reads.
    onnotice: () => undefined,
  });
  return {
    database: {
      async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
        let result: { readonly value: T } | undefined;
        await client.begin(async (transaction) => {
          const query: Query = (statement, parameters) =>
            parameters === undefined
              ? transaction.unsafe<Row[]>(statement).simple()
              : transaction.unsafe<Row[]>(statement, [...parameters]);
          result = { value: await work(query) };
        });
        if (result === undefined) throw new Error("a transaction ended without its result");
        return result.value;
      },
    },
    end: (withinSeconds) => client.end({ timeout: withinSeconds }),
  };
}
