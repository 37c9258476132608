/**
 * Is a free-form JSON value (a JSON Schema, the arguments of a call) small and flat enough to be handed on? The fixed
 * parts of a body are bounded by their schemas; these are not, and engines walk them recursively.
 */
import * as z from "zod";
import { requestLimits } from "./request-limits.ts";

export type JsonObject = { readonly [key: string]: unknown };

/** What is wrong with the value, in words that follow its name; null where nothing is. */
export function jsonFault(value: unknown): string | null {
  let nodes = 0;
  let characters = 0;
  let malformed = false;
  let forbiddenKey = false;
  // An explicit stack: recursion would let the input choose how deep ours grows.
  const stack: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    nodes += 1;
    if (nodes > requestLimits.jsonNodes) return `has more than ${requestLimits.jsonNodes} values`;
    if (typeof top.value === "string") {
      characters += top.value.length;
      malformed ||= !top.value.isWellFormed();
    } else if (typeof top.value === "object" && top.value !== null) {
      if (top.depth > requestLimits.jsonDepth)
        return `is nested deeper than ${requestLimits.jsonDepth} levels`;
      const depth = top.depth + 1;
      if (Array.isArray(top.value)) {
        for (const item of top.value) stack.push({ value: item, depth });
      } else {
        for (const [key, item] of Object.entries(top.value)) {
          characters += key.length;
          malformed ||= !key.isWellFormed();
          forbiddenKey ||= key === "__proto__";
          stack.push({ value: item, depth });
        }
      }
    } else if (typeof top.value === "number" && !Number.isFinite(top.value)) {
      return "holds a number that is too large";
    }
    if (stack.length > requestLimits.jsonNodes) return `has more than ${requestLimits.jsonNodes} values`;
    if (characters > requestLimits.jsonCharacters)
      return `has more than ${requestLimits.jsonCharacters} characters`;
  }
  if (malformed) return "is not well-formed Unicode (half a surrogate pair)";
  // A key of this name means the prototype to careless code, here or in an engine's own JavaScript.
  return forbiddenKey ? "has a key named __proto__" : null;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON object within bounds, handed on as it is. */
export const boundedJsonObject = z
  .unknown()
  .superRefine((value, context) => {
    const fault = isJsonObject(value) ? jsonFault(value) : "must be an object";
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  })
  .meta({ type: "object", additionalProperties: true }) as unknown as z.ZodType<JsonObject>;
