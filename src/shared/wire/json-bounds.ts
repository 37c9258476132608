/**
 * Is a free-form JSON value (a JSON Schema, the arguments of a call) small and flat enough to be handed on? The fixed
 * parts of a body are bounded by their schemas; these are not, and engines walk them recursively.
 */
import * as z from "zod";
import { requestLimits } from "./request-limits.ts";
import { isRecord } from "./is-record.ts";

export type JsonObject = { readonly [key: string]: unknown };

/** What was counted of a value so far. */
interface Tally {
  nodes: number;
  characters: number;
}

/** What is wrong with the value, in words that follow its name; null where nothing is. */
export function jsonFault(value: unknown): string | null {
  return faultWithin(value, 1, { nodes: 0, characters: 0 });
}

/** Recursion is safe here: it ends at the depth that it checks. */
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
    // A key of this name means the prototype to careless code, here or in an engine's own JavaScript.
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

/** One more than any list or map of a field may hold, so that its schema still says which bound is passed. */
const mostItems = 1 + Math.max(requestLimits.messages, requestLimits.inputs, requestLimits.tokenIds);

/**
 * A field's value as its schema need see it: of a list or an object that is longer than any may be, the beginning. zod makes an
 * issue of every item that is wrong, some microseconds each, and a body of 2 MB holds a million: one request that is refused, and
 * paid by nobody, would keep all others of its isolate waiting for seconds.
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

/** A body's fields, each as its schema need see it. */
export function shortenedFields(body: unknown): unknown {
  const fields = shortened(body);
  return isRecord(fields)
    ? Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, shortened(value)]))
    : fields;
}

/** A JSON object within bounds, handed on as it is. */
export const boundedJsonObject = z.lazy(() =>
  z
    .unknown()
    .superRefine((value, context) => {
      const fault = isRecord(value) ? jsonFault(value) : "must be an object";
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .meta({ type: "object", additionalProperties: true }),
) as unknown as z.ZodType<JsonObject>;
