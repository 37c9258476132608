import { expect, test, vi } from "vitest";
import { toolPolicySchema } from "../tool-policy.ts";
import { httpToolsFrom } from "./http-tools.ts";

const spec = {
  openapi: "3.1.0",
  servers: [{ url: "https://elsewhere.example" }],
  paths: {
    "/orders/{id}": {
      parameters: [{ $ref: "#/components/parameters/Id" }],
      get: {
        operationId: "getOrder",
        summary: "Looks an order up",
        parameters: [
          { name: "expand", in: "query", schema: { type: "string", enum: ["lines", "all"] } },
          { name: "authorization", in: "header", required: true, schema: { type: "string" } },
        ],
      },
      delete: { operationId: "deleteOrder" },
      patch: {
        operationId: "changeOrder",
        requestBody: {
          content: { "application/json": { schema: { $ref: "#/components/schemas/Change" } } },
        },
      },
    },
  },
  components: {
    parameters: {
      Id: { name: "id", in: "path", required: true, description: "Its number", schema: { type: "string" } },
    },
    schemas: {
      Change: {
        type: "object",
        properties: {
          state: { anyOf: [{ type: "string", pattern: "(a+)+$" }, { type: "null" }] },
          note: { type: "string" },
        },
        required: ["state"],
      },
    },
  },
};

test("the operations that are named become tools, with the schemas of their arguments; the others do not", async () => {
  const made = await httpToolsFrom(spec, ["getOrder", "changeOrder"], "https://api.example.com/v1");
  expect(made).toEqual({
    ok: true,
    value: [
      {
        name: "getOrder",
        description: "Looks an order up",
        method: "GET",
        base_url: "https://api.example.com/v1",
        path: "/orders/{id}",
        parameters: {
          type: "object",
          properties: {
            id: { type: "string", description: "Its number" },
            expand: { type: "string", enum: ["lines", "all"] },
          },
          required: ["id"],
          additionalProperties: false,
        },
        query: ["expand"],
      },
      {
        name: "changeOrder",
        description: "PATCH /orders/{id}",
        method: "PATCH",
        base_url: "https://api.example.com/v1",
        path: "/orders/{id}",
        parameters: {
          type: "object",
          properties: {
            id: { type: "string", description: "Its number" },
            state: { anyOf: [{ type: "string" }, { type: "null" }] },
            note: { type: "string" },
          },
          required: ["id", "state"],
          additionalProperties: false,
        },
        query: [],
      },
    ],
  });
  expect(toolPolicySchema.safeParse({ http: made.ok ? made.value : [] }).success).toBe(true);
});

test.each([
  ["an operation that there is not", spec, ["other"], "no one operation"],
  ["a text, which might be an URL", "https://evil.example/openapi.json", ["getOrder"], "no paths"],
  [
    "a reference to elsewhere",
    { ...spec, paths: { "/x": { $ref: "https://evil.example/x" } } },
    [],
    "leads to nothing",
  ],
  ["a reference to a prototype", { paths: { "/x": { $ref: "#/constructor" } } }, [], "leads to nothing"],
  ["a circle", { paths: { $ref: "#/paths" } }, [], "refers to itself"],
])("%s is refused, and nothing is fetched", async (_name, document, ids, words) => {
  const fetched = vi.spyOn(globalThis, "fetch");
  const made = await httpToolsFrom(document, ids, "https://api.example.com");
  expect(made).toMatchObject({ ok: false, error: expect.stringContaining(words) as string });
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});
