/**
 * Which files may a search look into? OpenAI's comparison and compound filters: their bounds, their schema, and whether a file's attributes
 * meet one.
 *
 * A hostile filter may be deep, wide, or both, so its size is checked before anything recurses into it.
 */
import * as z from "zod";
import type { Attributes } from "./passage.ts";

export type AttributeFilter = ComparisonFilter | CompoundFilter;

export interface ComparisonFilter {
  readonly type: "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "nin";
  readonly key: string;
  readonly value: string | number | boolean | readonly (string | number)[];
}

export interface CompoundFilter {
  readonly type: "and" | "or";
  readonly filters: readonly AttributeFilter[];
}

/** What one search may ask for: each file of a store is held against all of it. */
export const filterBounds = {
  /** Filters within filters. */
  depth: 8,
  /** Comparisons and compounds together. */
  nodes: 100,
  /** Values of one `in` or `nin`. */
  listValues: 100,
  /** As OpenAI bounds attributes. */
  keyCharacters: 64,
  valueCharacters: 512,
} as const;

const comparisons: ReadonlySet<unknown> = new Set(["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]);

type Path = (string | number)[];
interface Complaint {
  readonly path: Path;
  readonly message: string;
}

/** What is wrong with it first; `null`: it is a filter. No recursion: depth is the sender's to choose. */
function complaintOf(filter: unknown): Complaint | null {
  const open: { value: unknown; path: Path; depth: number }[] = [{ value: filter, path: [], depth: 1 }];
  let nodes = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { value, path, depth } = node;
    nodes += 1;
    if (nodes > filterBounds.nodes)
      return { path: [], message: `holds more than ${filterBounds.nodes} filters` };
    if (depth > filterBounds.depth)
      return { path: [], message: `nests deeper than ${filterBounds.depth} filters` };
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return { path, message: "must be a filter: an object" };
    const fields = value as Readonly<Record<string, unknown>>;
    const compound = fields["type"] === "and" || fields["type"] === "or";
    if (!compound && !comparisons.has(fields["type"]))
      return { path: [...path, "type"], message: `must be one of ${[...comparisons].join(", ")}, and, or` };
    const known = compound ? ["type", "filters"] : ["type", "key", "value"];
    const stranger = Object.keys(fields).find((name) => !known.includes(name));
    if (stranger !== undefined) return { path: [...path, stranger.slice(0, 64)], message: "is not known" };
    if (!compound) {
      const complaint = comparisonComplaint(fields, path);
      if (complaint !== null) return complaint;
      continue;
    }
    const inner = fields["filters"];
    if (!Array.isArray(inner) || inner.length === 0)
      return { path: [...path, "filters"], message: "must be a list of at least one filter" };
    if (nodes + open.length + inner.length > filterBounds.nodes)
      return { path: [], message: `holds more than ${filterBounds.nodes} filters` };
    // The first is looked at first, so that the first fault is the one that is told.
    for (let at = inner.length - 1; at >= 0; at -= 1)
      open.push({ value: inner[at] as unknown, path: [...path, "filters", at], depth: depth + 1 });
  }
  return null;
}

function comparisonComplaint(fields: Readonly<Record<string, unknown>>, path: Path): Complaint | null {
  const { key, type, value } = fields;
  if (typeof key !== "string" || key.length === 0 || key.length > filterBounds.keyCharacters)
    return {
      path: [...path, "key"],
      message: `must be a string of 1 to ${filterBounds.keyCharacters} characters`,
    };
  const at = [...path, "value"];
  if (type !== "in" && type !== "nin") {
    if (!isComparable(value) && typeof value !== "boolean")
      return { path: at, message: "must be a string, a number or a boolean" };
    return longString(value) ? { path: at, message: tooLong } : null;
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > filterBounds.listValues)
    return { path: at, message: `must be a list of 1 to ${filterBounds.listValues} strings or numbers` };
  const wrong = (value as readonly unknown[]).findIndex((one) => !isComparable(one) || longString(one));
  return wrong === -1
    ? null
    : { path: [...at, wrong], message: `must be a number or a string; ${tooLong.slice("is ".length)}` };
}

const tooLong = `is longer than ${filterBounds.valueCharacters} characters, which no attribute is`;

function isComparable(value: unknown): value is string | number {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

function longString(value: unknown): boolean {
  return typeof value === "string" && value.length > filterBounds.valueCharacters;
}

/** For a request's body: an issue names the place within the filter. */
export const attributeFilterSchema = z.lazy(() =>
  z
    .custom<AttributeFilter>()
    .superRefine((filter, context) => {
      const complaint = complaintOf(filter);
      if (complaint !== null) context.addIssue({ code: "custom", ...complaint });
    })
    .meta({
      type: "object",
      description: "OpenAI's ComparisonFilter or CompoundFilter over files' attributes.",
    }),
);

/**
 * A missing attribute equals nothing: `ne` and `nin` hold for it, all others do not. Values of two types are never equal and have
 * no order; strings are ordered by UTF-16 units, `false` is before `true`.
 */
export function meetsFilter(attributes: Attributes, filter: AttributeFilter): boolean {
  if (isCompound(filter))
    return filter.type === "and"
      ? filter.filters.every((inner) => meetsFilter(attributes, inner))
      : filter.filters.some((inner) => meetsFilter(attributes, inner));
  const has = Object.hasOwn(attributes, filter.key) ? attributes[filter.key] : undefined;
  const { value } = filter;
  switch (filter.type) {
    case "eq":
      return has === value;
    case "ne":
      return has !== value;
    case "in":
      return isIn(has, value);
    case "nin":
      return !isIn(has, value);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return inOrder(filter.type, has, value);
  }
}

function isCompound(filter: AttributeFilter): filter is CompoundFilter {
  return filter.type === "and" || filter.type === "or";
}

function isIn(has: string | number | boolean | undefined, list: ComparisonFilter["value"]): boolean {
  return typeof list === "object" && has !== undefined && list.includes(has as string | number);
}

function inOrder(
  type: "gt" | "gte" | "lt" | "lte",
  has: string | number | boolean | undefined,
  value: ComparisonFilter["value"],
): boolean {
  if (has === undefined || typeof value === "object" || typeof has !== typeof value) return false;
  if (type === "gt") return has > value;
  if (type === "gte") return has >= value;
  return type === "lt" ? has < value : has <= value;
}
