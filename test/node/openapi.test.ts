import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";
import { describe, expect, test } from "vitest";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { corsHeaders } from "../../src/shared/firewall/cors.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";
import { openApiDocument, openApiJson } from "../../src/shared/wire/openapi.ts";
import { insteadOf } from "../../src/shared/wire/routes-not-offered.ts";
import { publicRoutes } from "../../src/shared/wire/routes.ts";
import { errorSchema } from "../../src/shared/wire/responses.ts";

type Json = Record<string, unknown>;

function everyReference(value: unknown, found: string[] = []): readonly string[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, one] of Object.entries(value))
    if (key === "$ref" && typeof one === "string") found.push(one);
    else everyReference(one, found);
  return found;
}

describe("the OpenAPI document", () => {
  const document = openApiDocument();

  test("has every public route, and no other", () => {
    const written = Object.entries(document["paths"] as Json).flatMap(([path, methods]) =>
      Object.keys(methods as Json).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(written.sort()).toEqual(publicRoutes.map((route) => `${route.method} ${route.path}`).sort());
  });

  test("names no header of an answer that a page of another origin can't read", () => {
    const { headers } = document["components"] as { headers: Json };
    const exposed = corsHeaders("https://app.example.com")["access-control-expose-headers"]?.split(/, */);
    expect(Object.keys(headers).filter((name) => !exposed?.includes(name.toLowerCase()))).toEqual([]);
  });

  test("points only at what it holds", () => {
    const references = everyReference(document);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split("/")
        .reduce<unknown>((here, step) => (here as Json | undefined)?.[step], document);
      expect([reference, typeof target]).toEqual([reference, "object"]);
    }
  });

  test("names its path parameters and gives operations ids of their own", () => {
    const ids = new Set<unknown>();
    for (const route of publicRoutes) {
      const operation = ((document["paths"] as Json)[route.path] as Json)[route.method.toLowerCase()] as Json;
      ids.add(operation["operationId"]);
      const named = (operation["parameters"] as Json[])
        .filter((one) => one["in"] === "path")
        .map((one) => one["name"]);
      expect(named).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
    expect(ids.size).toBe(publicRoutes.length);
  });

  test("describes what becomes of every chat field, and its examples fit their schemas", () => {
    const { schemas } = document["components"] as { schemas: Record<string, Json> };
    const properties = schemas["ChatCompletionRequest"]?.["properties"] as Record<string, Json>;
    expect(properties["service_tier"]?.["description"]).toContain("without effect");
    for (const { request } of publicRoutes) {
      if (request === undefined) continue;
      const schema = z.fromJSONSchema(schemas[request.schema] as Parameters<typeof z.fromJSONSchema>[0]);
      expect(schema.safeParse(request.example)).toMatchObject({ success: true });
    }
  });

  test("is written once", () => {
    expect(openApiJson()).toBe(openApiJson());
  });
});

test("no route is both offered and told as not offered", () => {
  expect(publicRoutes.filter(({ path }) => insteadOf(path) !== undefined)).toEqual([]);
});

const patternOf = (path: string): string => path.replaceAll(/\{\w+\}/g, "{}");

/** Data that this repository doesn't hold: skipped where the folder is not. */
const file = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/openai/openapi.json`;

describe.skipIf(!existsSync(file))("routes against OpenAI's published description", () => {
  test("each of OpenAI's is offered, or is told with what to use instead", () => {
    const { paths } = JSON.parse(readFileSync(file, "utf8")) as { paths: Json };
    const offered = new Set(publicRoutes.map(({ path }) => patternOf(path)));
    const unanswered = Object.keys(paths).filter((path) => {
      const asked = `/v1${path.split("?", 1)[0]}`;
      return !offered.has(patternOf(asked)) && insteadOf(asked) === undefined;
    });
    expect(unanswered).toEqual([]);
    expect(Object.keys(paths).length).toBeGreaterThan(100);
  });
});

describe.skipIf(!existsSync(file))("errors against OpenAI's published description", () => {
  test("have the form of its ErrorResponse", () => {
    const { components } = JSON.parse(readFileSync(file, "utf8")) as {
      components: { schemas: Record<string, { required: string[]; properties: Json }> };
    };
    expect(components.schemas["ErrorResponse"]?.required).toEqual(["error"]);
    const published = components.schemas["Error"];
    const refusals: readonly Refusal[] = [
      { kind: "credential-missing" },
      { kind: "value-invalid", param: "n", message: "'n' must be at least 1." },
      { kind: "overloaded", retryAfterMs: 10 },
    ];
    for (const refusal of refusals) {
      const { error } = toWireError(refusal).body;
      expect(Object.keys(error).sort()).toEqual([...(published?.required ?? [])].sort());
      const schema = z.fromJSONSchema(published as Parameters<typeof z.fromJSONSchema>[0]);
      expect(schema.safeParse(error)).toMatchObject({ success: true });
      expect(errorSchema.safeParse({ error })).toMatchObject({ success: true });
    }
  });
});
