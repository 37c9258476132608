/**
 * From an OpenAPI description to the configuration of tools: the operations that are named, and no others. @cloudflare/ai-utils makes
 * the first cut (which tools there are, by which name and description, and where each argument goes); what it lacks is put right here:
 * it takes only what is written out (an URL it would fetch, a `$ref` it would follow anywhere), its parameters get their own schemas
 * and the body's, what is required stays so, headers and cookies are not the model's to set, and its executor is never called: the
 * configuration that comes out is what runs (http/http-tool.ts).
 */
import { createToolsFromOpenAPISpec, tool } from "@cloudflare/ai-utils";
import { err, ok, type Result } from "../../contracts/result.ts";
import { isRecord } from "../../wire/is-record.ts";
import { withoutPatterns } from "../argument-schema.ts";
import { dereferenced } from "./dereference.ts";

/** As `tools.http` of a tenant holds it; checked with the tenant. */
export interface HttpToolDraft {
  readonly name: string;
  readonly description: string;
  readonly method: string;
  readonly base_url: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly query: readonly string[];
}

const methods = new Set(["get", "post", "put", "patch", "delete"]);

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly unknown[];
  readonly operation: Readonly<Record<string, unknown>>;
}

/** The error says which operation, and what is wrong with it. */
export async function httpToolsFrom(
  document: unknown,
  operationIds: readonly string[],
  baseUrl: string,
): Promise<Result<readonly HttpToolDraft[], string>> {
  const resolved = dereferenced(document);
  if (!resolved.ok) return resolved;
  const spec = resolved.value;
  if (!isRecord(spec) || !isRecord(spec["paths"]))
    return err("it is no OpenAPI description: it has no paths");
  const operations = operationsOf(spec["paths"]);
  const wanted: Operation[] = [];
  for (const id of operationIds) {
    const found = operations.filter((operation) => operation.id === id);
    const [only] = found;
    if (only === undefined || found.length > 1) return err(`${id}: there is no one operation of that id`);
    wanted.push(only);
  }
  const cuts = await firstCut(wanted, baseUrl);
  const drafts: HttpToolDraft[] = [];
  for (const operation of wanted) {
    const cut = cuts.get(operation.id);
    if (cut === undefined) return err(`${operation.id}: it makes no tool`);
    const draft = draftOf(operation, cut, baseUrl);
    if (!draft.ok) return draft;
    drafts.push(draft.value);
  }
  return ok(drafts);
}

function operationsOf(paths: Readonly<Record<string, unknown>>): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    !isRecord(item)
      ? []
      : Object.entries(item).flatMap(([method, operation]): readonly Operation[] => {
          if (!methods.has(method) || !isRecord(operation)) return [];
          const id = operation["operationId"];
          const parameters = [...listOf(item["parameters"]), ...listOf(operation["parameters"])];
          return typeof id === "string" ? [{ id, method, path, parameters, operation }] : [];
        }),
  );
}

type Cut = Awaited<ReturnType<typeof createToolsFromOpenAPISpec>>[number];

/** By operation. The library is given the named operations alone, as text that begins with a brace: it fetches nothing then. */
async function firstCut(
  operations: readonly Operation[],
  baseUrl: string,
): Promise<ReadonlyMap<string, Cut>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { id, method, path, parameters, operation } of operations) {
    const described = {
      operationId: id,
      summary: descriptionOf(operation),
      parameters: parameters.filter(isPlain),
    };
    paths[path] = { ...paths[path], [method]: described };
  }
  const spec = JSON.stringify({ openapi: "3.0.0", servers: [{ url: baseUrl }], paths });
  const cuts = await createToolsFromOpenAPISpec(spec, { overrides: [] });
  return new Map(cuts.map((cut) => [cut.name, cut]));
}

function draftOf(
  { id, method, path, parameters, operation }: Operation,
  cut: Cut,
  baseUrl: string,
): Result<HttpToolDraft, string> {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  const query: string[] = [];
  for (const parameter of parameters.filter(isPlain)) {
    const { name, in: place } = parameter;
    if (Object.hasOwn(properties, name)) return err(`${id}: two parameters are called ${name}`);
    properties[name] = schemaOf(parameter);
    if (place === "path" || parameter["required"] === true) required.push(name);
    if (place === "query") query.push(name);
  }
  const body = bodyOf(operation);
  if (body === null) return err(`${id}: its body is no JSON object`);
  for (const [name, schema] of Object.entries(body.properties)) {
    if (Object.hasOwn(properties, name))
      return err(`${id}: a parameter and a member of its body are called ${name}`);
    properties[name] = withoutPatterns(schema);
    if (body.required.includes(name)) required.push(name);
  }
  const made = tool({
    name: cut.name,
    description: cut.description === "" ? `${method.toUpperCase()} ${path}` : cut.description,
    parameters: { type: "object", properties: properties as Record<string, object>, required },
  });
  return ok({
    name: made.name,
    description: made.description,
    method: method.toUpperCase(),
    base_url: baseUrl,
    path,
    parameters: { ...made.parameters, additionalProperties: false },
    query,
  });
}

interface PlainParameter extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly in: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Headers and cookies are no arguments: what of them is needed, the configuration sets. */
function isPlain(parameter: unknown): parameter is PlainParameter {
  if (!isRecord(parameter)) return false;
  const { name, in: place, schema } = parameter;
  return typeof name === "string" && (place === "path" || place === "query") && isRecord(schema);
}

function schemaOf({ schema, description }: PlainParameter): object {
  return {
    ...(withoutPatterns(schema) as object),
    ...(typeof description === "string" && !("description" in schema) ? { description } : {}),
  };
}

interface Body {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly unknown[];
}

/** `null`: it has one that arguments can't make. */
function bodyOf(operation: Readonly<Record<string, unknown>>): Body | null {
  const request = operation["requestBody"];
  if (!isRecord(request)) return { properties: {}, required: [] };
  const content = request["content"];
  const json = isRecord(content) ? content["application/json"] : undefined;
  const schema = isRecord(json) ? json["schema"] : undefined;
  if (!isRecord(schema) || !isRecord(schema["properties"])) return null;
  return { properties: schema["properties"], required: listOf(schema["required"]) };
}

function descriptionOf({ summary, description }: Readonly<Record<string, unknown>>): string {
  return [summary, description]
    .filter((text) => typeof text === "string" && text !== "")
    .join(". ")
    .slice(0, 1024);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
