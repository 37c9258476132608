/**
 * Which fields does a body hold, and is each what it should be? It costs what is in the body, not what could be: only
 * fields that are there meet their schema. A zod object of seventy optional fields asks for each of them.
 * Duplicate keys need no care: the last one counts, and what goes on is written anew from what was read.
 */
import type * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { isRecord } from "./is-record.ts";
import { shortened } from "./json-bounds.ts";
import { nearestName } from "./nearest-name.ts";
import { parseJson } from "./parse-json.ts";
import { invalidValue, refusalOfIssues, unsupportedParameter } from "./zod-refusal.ts";

export interface RefusedField {
  readonly origin: "OpenAI" | "vLLM";
  /** Follows the field's name. Says what to do instead, where there is something. */
  readonly message: string;
}

export interface FieldTable {
  /** Makers of each field's schema (lazy-shape.ts). */
  readonly schemas: ReadonlyMap<string, () => z.ZodType>;
  /** Known and impossible: 400 `unsupported_parameter`. Null is taken, and means absent. */
  readonly refused: ReadonlyMap<string, RefusedField>;
  readonly required: readonly string[];
  /** Fields that have a faster reader than their schema; it must accept and give the same. */
  readonly readers?: ReadonlyMap<string, (value: unknown) => Result<unknown, Refusal>>;
}

/** Refusals: `json-invalid`, and those of `readFields`. */
export function parseFields(body: string, table: FieldTable): Result<Record<string, unknown>, Refusal> {
  const json = parseJson(body);
  return json.ok ? readFields(json.value, table) : json;
}

/** The fields that are there and not null. Refusals: `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function readFields(value: unknown, table: FieldTable): Result<Record<string, unknown>, Refusal> {
  if (!isRecord(value)) return err(invalidValue(null, "must be a JSON object"));
  const fields: Record<string, unknown> = {};
  for (const key in value) {
    const given = value[key];
    const schema = table.schemas.get(key);
    if (schema === undefined) {
      const known = table.refused.get(key);
      if (known === undefined) return err(unknownParameter(key, table));
      if (given !== null) return err(unsupportedParameter(key, known.message));
      continue;
    }
    if (given === null) continue;
    const read = table.readers?.get(key)?.(given) ?? readWith(schema(), key, given);
    if (!read.ok) return read;
    fields[key] = read.value;
  }
  for (const field of table.required)
    if (fields[field] === undefined) return err(invalidValue(field, "is required"));
  return ok(fields);
}

function unknownParameter(param: string, { schemas }: FieldTable): Refusal {
  const meant = nearestName(param, schemas.keys());
  return { kind: "parameter-unknown", param, ...(meant === null ? {} : { meant }) };
}

/** Short values that a schema took as they were: bodies hold the same few again and again (a model, a length), and zod costs more than a look. */
const taken = new WeakMap<z.ZodType, Set<unknown>>();
/** Of one schema; then it begins anew. */
const mostTaken = 256;
const longestTaken = 64;

function readWith(schema: z.ZodType, key: string, given: unknown): Result<unknown, Refusal> {
  const known = taken.get(schema);
  if (known?.has(given)) return ok(given);
  const parsed = schema.safeParse(shortened(given));
  if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [key], given));
  if (parsed.data === given && isShort(given)) {
    if (known === undefined) taken.set(schema, new Set([given]));
    else if (known.size < mostTaken) known.add(given);
    else known.clear();
  }
  return ok(parsed.data);
}

function isShort(value: unknown): boolean {
  return typeof value === "string" ? value.length <= longestTaken : typeof value !== "object";
}
