import type { JsonSchema } from "./conversation.ts";
import { isFields, resolveReference } from "./json-instance.ts";
import { matching } from "./json-strings.ts";

/** The fault that the engine's grammar compiler would find in this JSON Schema; undefined: none. */
const types = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);
const maxDepth = 64;
/** The longest text, list or object that a schema may demand. */
const maxDemanded = 10_000;

export function schemaFault(root: JsonSchema): string | undefined {
  return faultIn(root, root, "#", 0);
}

function faultIn(schema: unknown, root: JsonSchema, place: string, depth: number): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isFields(schema)) return `${place}: a schema must be an object or a boolean`;
  if (depth > maxDepth) return `${place}: the schema is nested too deeply`;
  const type: unknown = schema["type"];
  const named: unknown[] = type === undefined ? [] : Array.isArray(type) ? type : [type];
  const unknown = named.find((one) => typeof one !== "string" || !types.has(one));
  if (unknown !== undefined) return `${place}: Unsupported type ${JSON.stringify(unknown)}`;
  const reference = schema["$ref"];
  if (
    reference !== undefined &&
    (typeof reference !== "string" || resolveReference(root, reference) === undefined)
  )
    return `${place}: Cannot find field ${JSON.stringify(reference)}`;
  if ("enum" in schema && (!Array.isArray(schema["enum"]) || schema["enum"].length === 0))
    return `${place}: enum must be a non-empty array`;
  const required: unknown = schema["required"];
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === "string"))
  )
    return `${place}: required must be an array of strings`;
  for (const name of ["minLength", "minItems", "minProperties"]) {
    const demanded: unknown = schema[name];
    if (demanded !== undefined && !(typeof demanded === "number" && demanded >= 0 && demanded <= maxDemanded))
      return `${place}/${name}: must be a number from 0 to ${maxDemanded}`;
  }
  const pattern = patternFault(schema["pattern"], place);
  if (pattern !== undefined) return pattern;
  for (const [key, value] of Object.entries(schema)) {
    const fault = memberFault(key, value, root, `${place}/${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function memberFault(key: string, value: unknown, root: JsonSchema, place: string, depth: number) {
  switch (key) {
    case "properties":
    case "$defs":
    case "definitions": {
      if (!isFields(value)) return `${place}: must be an object`;
      return first(Object.entries(value), ([name, part]) => faultIn(part, root, `${place}/${name}`, depth));
    }
    case "anyOf":
    case "oneOf":
    case "allOf":
    case "prefixItems": {
      if (!Array.isArray(value) || value.length === 0) return `${place}: must be a non-empty array`;
      return first([...value.entries()], ([at, part]) => faultIn(part, root, `${place}/${at}`, depth));
    }
    case "items":
    case "additionalProperties":
      return faultIn(value, root, place, depth);
    default:
      return undefined;
  }
}

function patternFault(pattern: unknown, place: string): string | undefined {
  if (pattern === undefined) return undefined;
  if (typeof pattern !== "string") return `${place}/pattern: must be a string`;
  try {
    const compiled = new RegExp(pattern, "u");
    return matching(compiled.source, 0, Infinity) === undefined
      ? `${place}/pattern: this regular expression is not supported`
      : undefined;
  } catch {
    // A RegExp can only be checked by compiling it.
    return `${place}/pattern: is not a valid regular expression`;
  }
}

function first<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = check(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
