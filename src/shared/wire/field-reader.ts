/**
 * Which fields does a body have, and is each valid? The cost depends on the fields that are there: only these meet their
 * schemas, while a zod object of seventy optional fields looks for each of them. Duplicate keys need no care: the last one
 * counts, and the engine's body is written anew from the parsed values.
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
  readonly origin: "OpenAI" | "vLLM" | "Anthropic";
  /** Follows the field's name. Says what to do instead, if there is a way. */
  readonly message: string;
}

export interface FieldTable {
  /** Functions that make each field's schema (lazy-shape.ts). */
  readonly schemas: ReadonlyMap<string, () => z.ZodType>;
  /** Known but not supported: 400 `unsupported_parameter`. Null is accepted and means absent. */
  readonly refused: ReadonlyMap<string, RefusedField>;
  readonly required: readonly string[];
  /** Faster readers of some fields; each must accept and return the same as its schema. */
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

/** Short values that a schema accepted unchanged: bodies repeat the same few (a model, a length), and zod costs more than a look-up. */
const taken = new WeakMap<z.ZodType, Set<unknown>>();
/** For each schema; then its set is cleared. */
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
