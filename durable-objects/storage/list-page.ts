/** How a page of a list is read in SQL: behind a key, ahead of one, or from an end; one row more tells whether there are others. */
export interface PageBounds<Key extends string | number> {
  readonly after: Key | null;
  readonly before: Key | null;
  /** 1 or more. */
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export interface PageQuery<Key extends string | number> {
  /** For the end of a query: `AND …` conditions, `ORDER BY` and `LIMIT`, with `?` for each of `values`. */
  readonly sql: string;
  readonly values: readonly (Key | number)[];
  /** What the query gave, in the order that was asked for. */
  finish<Row>(rows: readonly Row[]): { readonly rows: readonly Row[]; readonly hasMore: boolean };
}

/** @param column the key of the list; a name of ours, never a client's text */
export function pageQuery<Key extends string | number>(
  column: string,
  { after, before, limit, order }: PageBounds<Key>,
): PageQuery<Key> {
  // Ahead of a key alone: the rows nearest to it are wanted, so they are read backwards.
  const backwards = after === null && before !== null;
  const ascending = (order === "asc") !== backwards;
  const [behind, ahead] = order === "asc" ? [">", "<"] : ["<", ">"];
  return {
    sql: `${after === null ? "" : `AND ${column} ${behind} ? `}${before === null ? "" : `AND ${column} ${ahead} ? `}ORDER BY ${column} ${ascending ? "ASC" : "DESC"} LIMIT ?`,
    values: [...(after === null ? [] : [after]), ...(before === null ? [] : [before]), limit + 1],
    finish: (rows) => {
      const page = rows.slice(0, limit);
      return { rows: backwards ? page.toReversed() : page, hasMore: rows.length > limit };
    },
  };
}
