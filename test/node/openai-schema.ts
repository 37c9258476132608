/**
 * Does a value satisfy a schema of OpenAI's own API description? The description is not part of the repository: it is
 * looked for at OPENAI_SPEC, else in `../shared/data/openai/openapi.json` beside the checkout; without it these checks are
 * skipped, visibly. A validator of just the keywords that the description uses for answers.
 */
import { existsSync, readFileSync } from "node:fs";

export interface OpenAiSchema {
  readonly $ref?: string;
  readonly $recursiveRef?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly properties?: Readonly<Record<string, OpenAiSchema>>;
  readonly required?: readonly string[];
  readonly items?: OpenAiSchema;
  readonly anyOf?: readonly OpenAiSchema[];
  readonly oneOf?: readonly OpenAiSchema[];
  readonly allOf?: readonly OpenAiSchema[];
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, OpenAiSchema>> };
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

/** What can be asked, as `POST /v1/responses/{}`, and by which parameters in a query. */
export function openAiOperations(): ReadonlyMap<string, readonly string[]> {
  const all = Object.entries(description?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters }]): [string, readonly string[]] => [
      `${method.toUpperCase()} /v1${path.replace(/\{\w+\}/g, "{}")}`,
      (parameters ?? []).flatMap((one) => (one.in === "query" ? [one.name] : [])),
    ]),
  );
  return new Map(all);
}

/** Complaints, by path; none: the value is as OpenAI describes it. */
export function openAiComplaints(name: string, value: unknown): string[] {
  return check({ $ref: `#/components/schemas/${name}` }, value, "$");
}

function check(schema: OpenAiSchema, value: unknown, path: string): string[] {
  // Also beside a reference: the usage of a chunk is described as "a null value except for the last chunk".
  if (value === null && (schema.nullable === true || schema.type === "null")) return [];
  if (schema.$ref !== undefined)
    return check(openAiSchema(schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)), value, path);
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

/** By its name. */
export function openAiSchema(name: string): OpenAiSchema {
  const schema = description?.components.schemas[name];
  if (schema === undefined) throw new Error(`no schema ${name}`);
  return schema;
}

function checkType(schema: OpenAiSchema, value: unknown, path: string): string[] {
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

function checkObject(schema: OpenAiSchema, value: unknown, path: string): string[] {
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
