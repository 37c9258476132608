import type { JsonSchema } from "./conversation.ts";
import { Hints } from "./hints.ts";
import { characters, formatted, matching } from "./json-strings.ts";

/**
 * Which value satisfies this JSON Schema? One instance, deterministic, filled from the question where a field fits.
 * `checkSchema` refuses what a grammar compiler refuses; every schema that it lets through gets a valid instance
 * (combinations that contradict themselves have none, here as there).
 */
const maxDepth = 6;
/** An endless schema has no instance; the attempt ends at this depth. */
const hopelessDepth = 64;
type Fields = Readonly<Record<string, unknown>>;

export function instanceOf(schema: JsonSchema, question: string): unknown {
  return new Builder(schema, new Hints(question)).value(schema, "", 0);
}

class Builder {
  readonly #root: JsonSchema;
  readonly #hints: Hints;

  constructor(root: JsonSchema, hints: Hints) {
    this.#root = root;
    this.#hints = hints;
  }

  value(schema: unknown, field: string, depth: number): unknown {
    if (!isFields(schema)) return "stand-in";
    if (depth > hopelessDepth) return null;
    if (typeof schema["$ref"] === "string")
      return this.value(resolveReference(this.#root, schema["$ref"]), field, depth + 1);
    if ("const" in schema) return schema["const"];
    if (Array.isArray(schema["enum"])) return this.#pick(schema["enum"]);
    if (Array.isArray(schema["allOf"])) return this.value(merged(this.#root, schema), field, depth);
    const branches = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(branches)) {
      const { anyOf: _any, oneOf: _one, ...base } = schema;
      const branch = this.#branch(branches, depth);
      return this.value(isFields(branch) ? { ...base, ...branch } : base, field, depth + 1);
    }
    switch (typeOf(schema)) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, field, depth);
      case "number":
        return this.#number(schema, false);
      case "integer":
        return this.#number(schema, true);
      case "boolean":
        return true;
      case "null":
        return null;
      default:
        return this.#string(schema, field);
    }
  }

  #object(schema: Fields, depth: number): Fields {
    const properties = isFields(schema["properties"]) ? schema["properties"] : {};
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"].map(String) : []);
    const result: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(properties)) {
      // Below this depth only required properties, so that recursive schemas end.
      if (required.has(name) || (depth < maxDepth && !refersBack(property)))
        result[name] = this.value(property, name, depth + 1);
    }
    for (const name of required)
      if (!(name in result)) result[name] = this.value(schema["additionalProperties"], name, depth + 1);
    const least = numeric(schema["minProperties"]) ?? 0;
    for (let at = 1; Object.keys(result).length < least; at++)
      result[`field_${at}`] = this.value(schema["additionalProperties"], "", depth + 1);
    return result;
  }

  #array(schema: Fields, field: string, depth: number): unknown[] {
    const prefix = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
    const result = prefix.map((item) => this.value(item, field, depth + 1));
    const most = numeric(schema["maxItems"]) ?? Infinity;
    const wanted =
      depth < maxDepth ? Math.max(numeric(schema["minItems"]) ?? 0, 1) : (numeric(schema["minItems"]) ?? 0);
    const items = schema["items"];
    const values = isFields(items) && Array.isArray(items["enum"]) ? items["enum"] : undefined;
    const length = items === false ? result.length : Math.min(wanted, most);
    while (result.length < length) {
      const at = result.length - prefix.length;
      if (schema["uniqueItems"] === true && values !== undefined) result.push(values[at % values.length]);
      else {
        const item = this.value(items, field, depth + 1);
        const twin = schema["uniqueItems"] === true && result.some((other) => same(other, item));
        result.push(twin ? distinct(item, at) : item);
      }
    }
    return result.slice(0, most);
  }

  #number(schema: Fields, whole: boolean): number {
    const step = numeric(schema["multipleOf"]) ?? (whole ? 1 : undefined);
    const unit = step ?? 0.5;
    const above = numeric(schema["exclusiveMinimum"]);
    const below = numeric(schema["exclusiveMaximum"]);
    const least = numeric(schema["minimum"]) ?? -Infinity;
    const most = numeric(schema["maximum"]) ?? Infinity;
    const fits = (value: number) =>
      value >= least &&
      value <= most &&
      (above === undefined || value > above) &&
      (below === undefined || value < below) &&
      (step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9) &&
      (!whole || Number.isInteger(value));
    const found = this.#hints.number(fits);
    if (found !== undefined) return found;
    const low = Math.max(least, above ?? -Infinity);
    const high = Math.min(most, below ?? Infinity);
    const start = Number.isFinite(low) ? Math.ceil(low / unit) * unit : Math.min(unit, high);
    const middle = Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : start;
    return [unit, start, start + unit, high, high - unit, middle].find((value) => fits(value)) ?? start;
  }

  #string(schema: Fields, field: string): string {
    const format = typeof schema["format"] === "string" ? schema["format"] : undefined;
    const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : undefined;
    const least = numeric(schema["minLength"]) ?? 0;
    const most = numeric(schema["maxLength"]) ?? Infinity;
    const hinted = this.#hints.text(field, format);
    const fits = (text: string) => {
      const length = characters(text);
      return (
        length >= least && length <= most && (pattern === undefined || new RegExp(pattern, "u").test(text))
      );
    };
    if (hinted !== undefined && fits(hinted)) return hinted;
    if (pattern !== undefined) return matching(pattern, least, most) ?? "";
    const standard = formatted(format);
    if (standard !== undefined) return standard;
    const text = field === "" ? "stand-in" : `stand-in ${field}`;
    return fits(text) ? text : text.padEnd(least, "-").slice(0, Math.min(most, Math.max(least, text.length)));
  }

  #pick(values: readonly unknown[]): unknown {
    return values.find((value) => typeof value === "string" && this.#hints.mentions(value)) ?? values[0];
  }

  /** At great depth, prefers a branch that ends (null, or anything without a reference). */
  #branch(branches: readonly unknown[], depth: number): unknown {
    const resolved = branches.map((branch) =>
      isFields(branch) && typeof branch["$ref"] === "string" && depth < maxDepth
        ? resolveReference(this.#root, branch["$ref"])
        : branch,
    );
    if (depth >= maxDepth) return resolved.find((branch) => !refersBack(branch)) ?? resolved[0];
    return resolved.find((branch) => isFields(branch) && branch["type"] !== "null") ?? resolved[0];
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The subschema that a local `$ref` names, or undefined. */
export function resolveReference(root: JsonSchema, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  let at: unknown = root;
  for (const step of reference.slice(1).split("/").filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    at = isFields(at) ? at[name] : Array.isArray(at) ? (at as unknown[])[Number(name)] : undefined;
  }
  return at;
}

function typeOf(schema: Fields): string | undefined {
  const type: unknown = schema["type"];
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return type.map(String).find((one) => one !== "null") ?? "null";
  if ("properties" in schema || "required" in schema || "additionalProperties" in schema) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  if ("minimum" in schema || "maximum" in schema || "multipleOf" in schema) return "number";
  return undefined;
}

function merged(root: JsonSchema, schema: Fields): Fields {
  const { allOf, ...base } = schema;
  let result: Record<string, unknown> = { ...base };
  for (const part of Array.isArray(allOf) ? (allOf as unknown[]) : []) {
    const resolved =
      isFields(part) && typeof part["$ref"] === "string" ? resolveReference(root, part["$ref"]) : part;
    if (!isFields(resolved)) continue;
    const whole = Array.isArray(resolved["allOf"]) ? merged(root, resolved) : resolved;
    result = {
      ...result,
      ...whole,
      ...(isFields(result["properties"]) || isFields(whole["properties"])
        ? { properties: { ...asFields(result["properties"]), ...asFields(whole["properties"]) } }
        : {}),
      required: [...asArray(result["required"]), ...asArray(whole["required"])],
    };
  }
  return result;
}

function refersBack(schema: unknown): boolean {
  return JSON.stringify(schema ?? null).includes('"$ref"');
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numeric(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function distinct(item: unknown, at: number): unknown {
  if (typeof item === "string") return `${item} ${at + 1}`;
  return typeof item === "number" ? item + at : item;
}
