import { decode, encode } from "jose/base64url";
import { orgIdSchema } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import {
  type BookPlace,
  type ReadUsage,
  type UsageGroup,
  usageGroups,
  type UsageLine,
  type UsageTotal,
} from "../contracts/usage-book.ts";
import { dateAt } from "../limits/calendar.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { targetOf, type Admin, type AdminDeps, type AdminResult } from "./admin.ts";

/** As the query has it: everything is optional. */
export interface UsageQuery {
  readonly tenant?: string;
  readonly from?: string;
  readonly until?: string;
  readonly group_by?: string;
  readonly org?: string;
  readonly model?: string;
  readonly after?: string;
  readonly limit?: string;
}

export interface UsageDeps extends Pick<AdminDeps, "readConfig" | "now"> {
  readonly readUsage: (
    place: BookPlace,
    wanted: Omit<ReadUsage, "v" | "tenant">,
  ) => Promise<
    Result<
      { readonly lines: readonly UsageLine[]; readonly hasMore: boolean; readonly total: UsageTotal },
      string
    >
  >;
}

const mostLines = 1_000;
const usualLines = 100;

/** `GET /admin/usage`: what a tenant's orgs used, by day, org and model, up to a minute ago. */
export async function usagePage(
  admin: Admin,
  query: UsageQuery,
  deps: UsageDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, query.tenant, deps);
  if (!target.ok) return target;
  const { tenant } = target.value;
  if (tenant === null) return err(invalidValue("tenant", "is needed: the platform itself uses nothing"));
  const wanted = wantedOf(query, dateAt(tenant.time_zone, deps.now()));
  if (!wanted.ok) return wanted;
  const { id, jurisdiction } = tenant;
  const read = await deps.readUsage({ tenant: id, jurisdiction }, wanted.value);
  if (!read.ok)
    return err({
      kind: "dependency-unavailable",
      component: "usage-book",
      retryAfterMs: 1_000,
      detail: read.error,
    });
  const { lines, hasMore, total } = read.value;
  const { from, until, groups } = wanted.value;
  const last = lines.at(-1);
  return ok({
    object: "list",
    tenant: id,
    time_zone: tenant.time_zone,
    from,
    until,
    data: lines.map(({ date, org, model, ...used }) => ({
      object: "usage_total",
      date,
      org,
      model,
      ...shown(used),
    })),
    total: shown(total),
    has_more: hasMore,
    next_after: hasMore && last !== undefined ? cursorOf(groups.map((group) => last[group] ?? "")) : null,
  });
}

function shown({ requests, tokens, microdollars }: UsageTotal): object {
  return { requests, tokens, cost_usd: microdollars / 1_000_000 };
}

/** @param today in the tenant's time zone: left out, a range is its month up to and with today */
function wantedOf(query: UsageQuery, today: string): Result<Omit<ReadUsage, "v" | "tenant">, Refusal> {
  const { from = `${today.slice(0, 7)}-01`, until = nextDate(today), org, model } = query;
  if (!isDate(from)) return err(invalidValue("from", "must be a date such as 2026-11-30"));
  if (!isDate(until)) return err(invalidValue("until", "must be a date such as 2026-12-01"));
  if (until <= from) return err(invalidValue("until", "must be behind `from`: it is not part of the range"));
  if (org !== undefined && !orgIdSchema.safeParse(org).success)
    return err(invalidValue("org", "is no id of an org"));
  if (model !== undefined && (model === "" || model.length > 256))
    return err(invalidValue("model", "is no id of a model"));
  const groups = groupsOf(query.group_by ?? "date,model");
  if (groups === null)
    return err(
      invalidValue("group_by", `must be some of ${usageGroups.join(", ")}, with commas between, or empty`),
    );
  const after = query.after === undefined ? null : placeOf(query.after, groups.length);
  if (query.after !== undefined && after === null)
    return err(invalidValue("after", "is no place in this list"));
  const limit = /^\d{1,4}$/.test(query.limit ?? String(usualLines)) ? Number(query.limit ?? usualLines) : 0;
  if (limit < 1 || limit > mostLines) return err(invalidValue("limit", `must be from 1 to ${mostLines}`));
  return ok({ from, until, org: org ?? null, model: model ?? null, groups, after, limit });
}

function groupsOf(text: string): UsageGroup[] | null {
  const named = text === "" ? [] : text.split(",").map((name) => name.trim());
  const known = usageGroups.filter((group) => named.includes(group));
  return known.length === named.length ? known : null;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function nextDate(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** What the last line of a page is of. Opaque to clients; names of orgs and models may hold anything, commas as well. */
function cursorOf(place: readonly string[]): string {
  return encode(JSON.stringify(place));
}

function placeOf(cursor: string, length: number): string[] | null {
  try {
    const place: unknown = JSON.parse(new TextDecoder().decode(decode(cursor)));
    if (!Array.isArray(place) || place.length !== length || length === 0) return null;
    return place.every((part): part is string => typeof part === "string") ? place : null;
  } catch {
    // A cursor that is not base64 of JSON was not made here.
    return null;
  }
}
