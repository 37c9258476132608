import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toolPolicySchema, type HttpToolConfig } from "../tool-policy.ts";
import { askOf, pathSegment } from "./http-tool.ts";

function configured(change: object = {}): HttpToolConfig {
  const policy = toolPolicySchema.parse({
    http: [
      {
        name: "t",
        description: "d",
        base_url: "https://api.example.com/v1/",
        path: "/orders/{id}/items",
        parameters: { type: "object", properties: { id: {}, a: {}, b: {} } },
        ...change,
      },
    ],
  });
  const [config] = policy.http;
  if (config === undefined) throw new Error("no tool");
  return config;
}

test("arguments go into the path, then into the query, or into the body of what has one", () => {
  const get = askOf(configured(), { id: "x/y", a: [1, true], b: "q&r" });
  expect(get).toMatchObject({ ok: true, value: { method: "GET", body: null } });
  expect(get.ok && get.value.url.href).toBe(
    "https://api.example.com/v1/orders/x%2Fy/items?a=1&a=true&b=q%26r",
  );
  const post = askOf(configured({ method: "POST", query: ["a"] }), { id: 7, a: 1, b: { c: 1 } });
  expect(post.ok && post.value.url.href).toBe("https://api.example.com/v1/orders/7/items?a=1");
  expect(post).toMatchObject({ ok: true, value: { body: '{"b":{"c":1}}' } });
});

test("an argument that the schema does not name is no argument, unless it says that there may be more", () => {
  const { parameters } = configured();
  expect(askOf(configured(), { id: "x", admin: true })).toMatchObject({
    ok: false,
    error: { kind: "arguments-invalid", detail: "there is no 'admin'" },
  });
  const open = configured({ parameters: { ...parameters, additionalProperties: true } });
  expect(askOf(open, { id: "x", admin: true }).ok).toBe(true);
});

test.each(["", ".", "..", "\ud800"])("%j can't stand in a path", (id) => {
  expect(askOf(configured(), { id }).ok).toBe(false);
});

test("no value leaves its segment, whatever is in it", () => {
  const config = configured();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (id) => {
      if (pathSegment(id) === null) return;
      const asked = askOf(config, { id });
      if (!asked.ok) throw new Error("not asked");
      const { origin, pathname, search, hash } = asked.value.url;
      expect([origin, search, hash]).toEqual(["https://api.example.com", "", ""]);
      const [, v1, orders, segment, items, ...more] = pathname.split("/");
      expect([v1, orders, items, more.length]).toEqual(["v1", "orders", "items", 0]);
      expect(decodeURIComponent(segment ?? "")).toBe(id);
    }),
  );
});

test.each([
  [{ base_url: "http://api.example.com" }, "http.0.base_url"],
  [{ base_url: "https://u:p@api.example.com" }, "http.0.base_url"],
  [{ path: "/orders/{other}" }, "http.0.path"],
  [{ path: "/../{id}" }, "http.0.path"],
  [{ path: "/{id}?x=1" }, "http.0.path"],
  [{ parameters: { type: "string" } }, "http.0.parameters"],
  [
    { parameters: { type: "object", properties: { id: { $ref: "https://evil.example/schema" } } } },
    "http.0.parameters",
  ],
  [
    { parameters: { type: "object", properties: { id: { type: "string", pattern: "(a+)+$" } } } },
    "http.0.parameters",
  ],
  [{ headers: [{ name: "host", secret: "X" }] }, "http.0.headers.0.name"],
  [{ headers: [{ name: "x-key", secret: "X", prefix: "a\nb" }] }, "http.0.headers.0.prefix"],
  [{ name: "calculator" }, "http.0.name"],
])("a configuration with %j is refused at %s", (change, path) => {
  const parsed = toolPolicySchema.safeParse({
    http: [{ ...configured(), repeatable: false, ...change }],
  });
  expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
});
