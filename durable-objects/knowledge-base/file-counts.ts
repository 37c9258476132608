import type { FileCounts, FileStatus } from "../../src/shared/contracts/knowledge-base.ts";

/** How many files are in which state? @param query of `status` and `n` */
export function countsOf(sql: SqlStorage, query: string, ...values: readonly string[]): FileCounts {
  const counts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { status, n } of sql.exec<{ status: FileStatus; n: number }>(query, ...values).toArray())
    counts[status] = n;
  return counts;
}
