/**
 * Bodies that OpenAI's own API description allows, each of them the smallest one that shows one thing: a property, a value
 * of an enumeration, a branch of a union. So what the next description brings is asked of our parsers by itself.
 */
import { openAiSchema, type OpenAiSchema } from "./openai-schema.ts";

export interface Sample {
  /** Where the thing stands and which it is: `input[].content[](input_file).detail=high`. */
  readonly shows: string;
  readonly value: unknown;
}

/** Values that no schema can tell: they mean something. By the property's name. */
export type Known = Readonly<Record<string, unknown>>;

interface Walk {
  readonly known: Known;
  /** The schemas that the walk is inside of: a filter holds filters. */
  readonly within: readonly string[];
}

/** A sample a thing that is described of `name`, whatever else must be there with it. */
export function samplesOf(name: string, known: Known): readonly Sample[] {
  const all = walk({ $ref: `#/components/schemas/${name}` }, "", "", { known, within: [] });
  return [...new Map(all.map((sample) => [sample.shows, sample])).values()];
}

function walk(schema: OpenAiSchema, at: string, property: string, context: Walk): readonly Sample[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    if (context.within.includes(name)) return [];
    return walk(openAiSchema(name), at, property, { ...context, within: [...context.within, name] });
  }
  if (schema.$recursiveRef !== undefined) return [];
  const whole = joined(schema);
  const branches = whole.anyOf ?? whole.oneOf;
  if (branches !== undefined && whole.properties === undefined)
    return branches.flatMap((branch) => walk(branch, at, property, context));
  if (isObject(whole)) return ofObject(whole, at, context);
  if (property in context.known) return [{ shows: at, value: context.known[property] }];
  if (whole.type === "array") return ofArray(whole, at, property, context);
  const values = valuesOf(whole);
  if (values !== null) return values.map((value) => ({ shows: `${at}=${String(value)}`, value }));
  return whole.type === "null" ? [] : [{ shows: at, value: scalar(whole) }];
}

function ofObject(schema: OpenAiSchema, at: string, context: Walk): readonly Sample[] {
  const [kind] = valuesOf(joinedAll(schema.properties?.["type"] ?? schema.properties?.["role"] ?? {})) ?? [];
  const here = typeof kind !== "string" || at === "" ? at : `${at}(${kind})`;
  const properties = Object.entries(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const each = properties.map(([name, property]) => ({
    name,
    samples: walk(property, here === "" ? name : `${here}.${name}`, name, context),
  }));
  // What must be there is there in its first form, beside each form of each property.
  const least = Object.fromEntries(
    each.flatMap(({ name, samples }) => {
      const [first] = samples;
      return required.has(name) && first !== undefined ? [[name, first.value]] : [];
    }),
  );
  const shown = each.flatMap(({ name, samples }) =>
    samples.map(({ shows, value }) => ({ shows, value: { ...least, [name]: value } })),
  );
  // Clients say null of what they leave out.
  for (const [name] of properties)
    if (!required.has(name))
      shown.push({
        shows: `${here === "" ? name : `${here}.${name}`}=null`,
        value: { ...least, [name]: null },
      });
  return shown.length > 0 ? shown : [{ shows: here, value: {} }];
}

function ofArray(schema: OpenAiSchema, at: string, property: string, context: Walk): readonly Sample[] {
  const items = walk(schema.items ?? {}, `${at}[]`, property, context);
  return items.map(({ shows, value }) => ({ shows, value: [value] }));
}

function isObject({ type, properties }: OpenAiSchema): boolean {
  return type === "object" || properties !== undefined;
}

/** `allOf` and what stands beside it as one schema. */
function joined(schema: OpenAiSchema): OpenAiSchema {
  if (schema.allOf === undefined) return schema;
  const parts = [...schema.allOf.map(joinedAll), { ...schema, allOf: undefined }];
  return parts.reduce<OpenAiSchema>(
    (all, part) => ({
      ...all,
      ...Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)),
      ...(all.properties === undefined && part.properties === undefined
        ? {}
        : { properties: { ...all.properties, ...part.properties } }),
      required: [...(all.required ?? []), ...(part.required ?? [])],
    }),
    {},
  );
}

function joinedAll(schema: OpenAiSchema): OpenAiSchema {
  if (schema.$ref === undefined) return joined(schema);
  return joinedAll(openAiSchema(schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)));
}

function valuesOf(schema: OpenAiSchema): readonly unknown[] | null {
  if (schema.const !== undefined) return [schema.const];
  return schema.enum ?? null;
}

function scalar({ type, minimum, minLength }: OpenAiSchema): unknown {
  switch (type) {
    case "integer":
    case "number":
      return minimum ?? 1;
    case "boolean":
      return true;
    case "string":
      return "x".repeat(Math.max(1, minLength ?? 1));
    default:
      return {};
  }
}
