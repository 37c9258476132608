/**
 * Is a free-form JSON value (a JSON Schema, the arguments of a call) small and flat enough for an engine? Schemas bound the
 * fixed parts of a body, but not these, and engines traverse them recursively.
 */
import * as z from "zod";
import { requestLimits } from "./request-limits.ts";
import { isRecord } from "./is-record.ts";

export type JsonObject = { readonly [key: string]: unknown };

/** What was counted in a value so far. */
interface Tally {
  nodes: number;
  characters: number;
}

/** What is wrong with the value, in words that follow its name; null: nothing. */
export function jsonFault(value: unknown): string | null {
  return faultWithin(value, 1, { nodes: 0, characters: 0 });
}

/** Recursion is safe here: it ends at the allowed depth. */
function faultWithin(value: unknown, depth: number, tally: Tally): string | null {
  tally.nodes += 1;
  if (tally.nodes > requestLimits.jsonNodes) return `has more than ${requestLimits.jsonNodes} values`;
  if (typeof value === "string") return textFault(value, tally);
  if (typeof value === "number") return Number.isFinite(value) ? null : "holds a number that is too large";
  if (typeof value !== "object" || value === null) return null;
  if (depth > requestLimits.jsonDepth) return `is nested deeper than ${requestLimits.jsonDepth} levels`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = faultWithin(item, depth + 1, tally);
      if (fault !== null) return fault;
    }
    return null;
  }
  for (const key in value) {
    // Careless code takes a key of this name for the prototype, here or in an engine's JavaScript.
    if (key === "__proto__") return "has a key named __proto__";
    const fault = textFault(key, tally) ?? faultWithin((value as JsonObject)[key], depth + 1, tally);
    if (fault !== null) return fault;
  }
  return null;
}

function textFault(text: string, tally: Tally): string | null {
  tally.characters += text.length;
  if (tally.characters > requestLimits.jsonCharacters)
    return `has more than ${requestLimits.jsonCharacters} characters`;
  return text.isWellFormed() ? null : "is not well-formed Unicode (half a surrogate pair)";
}

/** One more than any list or map of a field may have, so that its schema still reports which bound is exceeded. */
const mostItems = 1 + Math.max(requestLimits.messages, requestLimits.inputs, requestLimits.tokenIds);

/**
 * A field's value, shortened for its schema: of a list or an object longer than any may be, only the beginning. zod makes an issue
 * of every wrong item, some microseconds each, and a body of 2 MB may have a million. So one refused request, which costs its
 * sender nothing, would keep all others of its isolate waiting for seconds.
 */
export function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > mostItems ? value.slice(0, mostItems) : value;
  if (!isRecord(value)) return value;
  let keys = 0;
  for (const _ in value) {
    keys += 1;
    if (keys > mostItems) return Object.fromEntries(Object.entries(value).slice(0, mostItems));
  }
  return value;
}

/** A body's fields, each shortened for its schema. */
export function shortenedFields(body: unknown): unknown {
  const fields = shortened(body);
  return isRecord(fields)
    ? Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, shortened(value)]))
    : fields;
}

/** A JSON object within bounds, passed on unchanged. */
export const boundedJsonObject = z.lazy(() =>
  z
    .unknown()
    .superRefine((value, context) => {
      const fault = isRecord(value) ? jsonFault(value) : "must be an object";
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .meta({ type: "object", additionalProperties: true }),
) as unknown as z.ZodType<JsonObject>;
