/**
 * Does a value satisfy a schema of OpenAI's own API description? The description is not part of the repository: it is
 * looked for at OPENAI_SPEC, else in `../shared/data/openai/openapi.json` beside the checkout; without it these checks are
 * skipped, visibly. A validator of just the keywords that the description uses for answers.
 */
import { existsSync, readFileSync } from "node:fs";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Description {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const places = [
  process.env["OPENAI_SPEC"],
  `${process.cwd()}/../shared/data/openai/openapi.json`,
  `${process.cwd()}/../../shared/data/openai/openapi.json`,
];
const place = places.find((path) => path !== undefined && existsSync(path));
const description = place === undefined ? null : (JSON.parse(readFileSync(place, "utf8")) as Description);

/** Whether the description is there: `test.skipIf(!hasOpenAiSchema)`. */
export const hasOpenAiSchema = description !== null;

/** Complaints, by path; none: the value is as OpenAI describes it. */
export function openAiComplaints(name: string, value: unknown): string[] {
  return check({ $ref: `#/components/schemas/${name}` }, value, "$");
}

function check(schema: Schema, value: unknown, path: string): string[] {
  // Also beside a reference: the usage of a chunk is described as "a null value except for the last chunk".
  if (value === null && (schema.nullable === true || schema.type === "null")) return [];
  if (schema.$ref !== undefined) return check(resolve(schema.$ref), value, path);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const complaints = alternatives.map((alternative) => check(alternative, value, path));
    if (!complaints.some((list) => list.length === 0)) return complaints.flat();
  }
  return [
    ...(schema.allOf ?? []).flatMap((part) => check(part, value, path)),
    ...checkType(schema, value, path),
    ...checkObject(schema, value, path),
    ...(Array.isArray(value) && schema.items !== undefined
      ? value.flatMap((item, index) => check(schema.items ?? {}, item, `${path}[${index}]`))
      : []),
  ];
}

function resolve(reference: string): Schema {
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  const schema = description?.components.schemas[name];
  if (schema === undefined) throw new Error(`no schema ${name}`);
  return schema;
}

function checkType(schema: Schema, value: unknown, path: string): string[] {
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${path} is ${JSON.stringify(value)}, not one of ${schema.enum.join(", ")}`];
  if (schema.type === undefined || isOfType(schema.type, value)) return [];
  return [`${path} is ${JSON.stringify(value)}, no ${schema.type}`];
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function checkObject(schema: Schema, value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  const missing = (schema.required ?? []).filter((name) => fields[name] === undefined);
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      fields[name] === undefined ? [] : check(property, fields[name], `${path}.${name}`),
    ),
  ];
}
