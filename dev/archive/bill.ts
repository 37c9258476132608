/**
 * What does a tenant owe for a month, grouped as finance needs it? The archive's charges as CSV (RFC 4180). Each was priced when its answer
 * ended, so a price change within the month needs no care here.
 */
import type { Database, Row } from "../../src/shared/archive/database.ts";
import { dateAt, periodAt } from "../../src/shared/limits/calendar.ts";

export interface BillOptions {
  readonly tenant: string;
  /** `2026-11`, in `timeZone`. */
  readonly month: string;
  /** An IANA name, like the tenant's `time_zone`. */
  readonly timeZone: string;
  readonly by: readonly BillGroup[];
}

/** The possible groupings, and their columns. `$3` is the time zone. */
const groups = {
  day: { day: "to_char(to_timestamp(ended_ms / 1000.0) AT TIME ZONE $3, 'YYYY-MM-DD')" },
  org: { org: "org" },
  user: { user: "user_id" },
  key: { key: "key_id" },
  tier: { tier: "tier" },
  endpoint: { endpoint: "endpoint" },
  model: { model: "model" },
  price: {
    usd_per_million_input: "price_input",
    usd_per_million_cached_input: "coalesce(price_cached_input, price_input)",
    usd_per_million_output: "price_output",
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
export type BillGroup = keyof typeof groups;

export function isBillGroup(name: string): name is BillGroup {
  return Object.hasOwn(groups, name);
}

const sums = {
  requests: "count(*)",
  prompt_tokens: "sum(prompt_tokens)",
  cached_tokens: "sum(cached_tokens)",
  completion_tokens: "sum(completion_tokens)",
  reasoning_tokens: "sum(reasoning_tokens)",
  cost: "to_char(coalesce(sum(microdollars), 0) / 1000000.0, 'FM999999999990.000000')",
  currency: "'USD'",
  // Turns of code that did not store the price; buckets were charged the model's highest.
  requests_without_cost: "count(*) FILTER (WHERE microdollars IS NULL)",
} as const;

/** One line for each group, after a line of column names. Turns without a model or charges are left out. */
export async function billOf(database: Database, options: BillOptions): Promise<string> {
  const { startMs, endMs } = monthIn(options);
  const told = Object.assign({}, ...options.by.map((name) => groups[name])) as Record<string, string>;
  const names = Object.keys(told);
  const columns = Object.entries({ ...told, ...sums }).map(([name, sql]) => `${sql} AS "${name}"`);
  const grouping = names.map((_name, at) => at + 1).join(", ");
  const rows = await database.transaction((query) =>
    query(
      `SELECT ${columns.join(", ")} FROM charge
       WHERE tenant = $1 AND ended_ms >= $2 AND ended_ms < $4 AND $3::text IS NOT NULL
         AND (model IS NOT NULL OR prompt_tokens + completion_tokens > 0)
       ${names.length === 0 ? "" : `GROUP BY ${grouping} ORDER BY ${grouping}`}`,
      [options.tenant, startMs, options.timeZone, endMs],
    ),
  );
  const header = [...names, ...Object.keys(sums)];
  return [header, ...rows.map((row) => header.map((name) => cell(row, name)))]
    .map((line) => line.join(","))
    .join("\r\n");
}

/** The current month in the time zone. */
export function monthAt(timeZone: string, nowMs: number): string {
  return dateAt(timeZone, nowMs).slice(0, 7);
}

function monthIn({ month, timeZone }: BillOptions) {
  // The middle of a month is in that month in every time zone.
  return periodAt({ period: "month", timeZone }, Date.parse(`${month}-15T00:00:00Z`));
}

/** A name that a spreadsheet would take for a formula gets an apostrophe in front, which makes it text. */
function cell(row: Row, name: string): string {
  const value = row[name];
  if (typeof value === "number" || typeof value === "bigint") return `${value}`;
  if (typeof value !== "string") return "";
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
