/**
 * Which JSON schemas may describe a tool's arguments? Self-contained schemas of an object. A `$ref` would have to be resolved, and a
 * pattern is code of its author: one that backtracks without end would block every turn of the isolate.
 */
import { isRecord } from "../wire/is-record.ts";
import type { JsonObject } from "../wire/json-bounds.ts";

const maxDepth = 32;
const maxCharacters = 32_768;

/** Keywords whose members are schemas by a name of their own: not keywords. */
const named: ReadonlySet<string> = new Set(["properties", "$defs", "definitions", "dependentSchemas"]);
/** Keywords whose value is data. */
const data: ReadonlySet<string> = new Set([
  "enum",
  "const",
  "default",
  "examples",
  "required",
  "dependentRequired",
]);
const references: ReadonlySet<string> = new Set(["$ref", "$dynamicRef", "$recursiveRef"]);
const patterns: ReadonlySet<string> = new Set(["pattern", "patternProperties"]);

/** What is wrong with it, in words; `null`: nothing. */
export function argumentSchemaFault(schema: JsonObject): string | null {
  if (schema["type"] !== "object") return "is no schema of an object";
  if (JSON.stringify(schema).length > maxCharacters) return `is longer than ${maxCharacters} characters`;
  return keywordFault(schema, 0);
}

function keywordFault(schema: unknown, depth: number): string | null {
  if (depth > maxDepth) return "is nested too deeply";
  if (!isRecord(schema) && !Array.isArray(schema)) return null;
  for (const [keyword, value] of Object.entries(schema)) {
    if (!Array.isArray(schema)) {
      if (references.has(keyword)) return "holds a $ref: write out what it refers to";
      if (patterns.has(keyword)) return "holds a pattern: say in the description what is meant";
      if (data.has(keyword)) continue;
    }
    const isNamed = !Array.isArray(schema) && named.has(keyword) && isRecord(value);
    const fault = isNamed
      ? (Object.values(value)
          .map((one) => keywordFault(one, depth + 2))
          .find((one) => one !== null) ?? null)
      : keywordFault(value, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** The same schema without its patterns, which then go unchecked here: the server that gets the arguments has its own. */
export function withoutPatterns(schema: unknown): unknown {
  return without(schema, (keyword) => patterns.has(keyword));
}

/**
 * The same schema without the formats that the validator looks for with a pattern which backtracks without end: of its `url` (which JSON
 * schema does not know; its own is `uri`), thirty letters and a blank hold an isolate up for minutes.
 */
export function withoutSlowFormats(schema: unknown): unknown {
  return without(schema, (keyword, value) => keyword === "format" && value === "url");
}

function without(schema: unknown, goes: (keyword: string, value: unknown) => boolean): unknown {
  if (Array.isArray(schema)) return schema.map((one) => without(one, goes));
  if (!isRecord(schema)) return schema;
  const kept = Object.entries(schema).filter(([keyword, value]) => !goes(keyword, value));
  return Object.fromEntries(
    kept.map(([keyword, value]): [string, unknown] => {
      if (data.has(keyword)) return [keyword, value];
      if (!named.has(keyword) || !isRecord(value)) return [keyword, without(value, goes)];
      return [
        keyword,
        Object.fromEntries(Object.entries(value).map(([name, one]) => [name, without(one, goes)])),
      ];
    }),
  );
}
