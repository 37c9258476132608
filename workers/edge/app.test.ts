import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { routesNotOffered } from "../../src/shared/wire/routes-not-offered.ts";
import { publicRoutes } from "../../src/shared/wire/routes.ts";
import { createApp } from "./app.ts";

/** Served, but not part of the API: the page's sign-in on a laptop. */
const undocumented = ["/demo/session"];

function served(): string[] {
  return createApp()
    .routes.filter(({ path }) => !undocumented.includes(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}")}`)
    .sort();
}

test("every route is documented, and none is promised that is not there", () => {
  expect(served()).toEqual(publicRoutes.map(({ method, path }) => `${method} ${path}`).sort());
});

function ask(path: string, init?: RequestInit): Promise<Response> {
  return exports.default.fetch(`http://edgewise.test${path}`, init);
}

test.each(publicRoutes.filter(({ scopes }) => scopes !== null).map(({ method, path }) => ({ method, path })))(
  "$method $path asks who is calling",
  async ({ method, path }) => {
    const response = await ask(path.replace("{id}", "some-id"), { method });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  },
);

test("an unknown path is 404 and a known one with another method is 405 with Allow", async () => {
  const unknown = await ask("/v1/nothing");
  expect(unknown.status).toBe(404);
  const message = expect.stringMatching(/^Unknown URL: GET \/v1\/\S+\. /) as string;
  expect(await unknown.json()).toMatchObject({ error: { code: "unknown_url", message } });
  const wrong = await ask("/v1/chat/completions", { method: "PUT" });
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("POST, GET");
  await wrong.body?.cancel();
});

test.each([
  "/chat/completions",
  "/v1/v1/chat/completions",
  "/v1/chat/completions/",
  "//v1/chat/completions",
  "/v1//chat/completions",
])("%s is told which URL is meant", async (path) => {
  const response = await ask(path, { method: "POST" });
  expect(response.status).toBe(404);
  const message = expect.stringContaining("Did you mean '/v1/chat/completions'?") as string;
  expect(await response.json()).toMatchObject({ error: { code: "unknown_url", message } });
});

test.each([
  ["POST", "/v1/responses/compact"],
  ["POST", "/v1/files/uploads"],
])("%s %s is unknown: what we don't offer is no id with a wrong method", async (method, path) => {
  const response = await ask(path, { method });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "unknown_url" } });
});

test.each(Object.entries(routesNotOffered))("/v1/%s is not offered, which is said", async (name, instead) => {
  for (const path of [`/v1/${name}`, `/v1/${name}/some_id/more`, `/${name}/jobs`]) {
    const response = await ask(path, { method: "POST" });
    expect([path, response.status]).toEqual([path, 404]);
    const message = expect.stringMatching(/^This route is not offered here: POST /) as string;
    const body = await response.json();
    expect(body).toMatchObject({ error: { code: "unknown_url", message } });
    expect(JSON.stringify(body)).toContain(`Use ${instead}.`);
  }
});

test.each([
  ["PUT", "/v1/responses/resp_01k8f", "GET, DELETE"],
  ["PATCH", "/v1/conversations/my-chat", "GET, POST, DELETE"],
  ["PATCH", "/v1/vector_stores/vs_1/files/file-1", "GET, POST, DELETE"],
  ["POST", "/admin/tenants/acme", "GET, PUT, DELETE"],
])("%s %s is a wrong method", async (method, path, allow) => {
  const response = await ask(path, { method });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe(allow);
  await response.body?.cancel();
});

test.each(["/openapi-json", "/x.well-known/edgewise-receipts.json", "/.well-known/edgewise-receiptsXjson"])(
  "%s is no route, however like one it is",
  async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    await response.body?.cancel();
  },
);

test("what caches may keep says that it differs by origin", async () => {
  const response = await ask("/openapi.json");
  expect(response.headers.get("vary")).toBe("Origin");
  await response.body?.cancel();
});

describe("the page's sign-in on a laptop", () => {
  test.each<[string, Record<string, string>, number]>([
    ["its own page", { origin: "http://edgewise.test", "sec-fetch-site": "same-origin" }, 200],
    ["its own page in a network, where browsers say less", { origin: "http://edgewise.test" }, 200],
    ["no page", {}, 200],
    ["another page", { origin: "https://other.test", "sec-fetch-site": "cross-site" }, 404],
    ["another page in a network", { origin: "http://other.test" }, 404],
    ["a sandboxed one", { origin: "null" }, 404],
  ])("is for %s: %s", async (_, headers, status) => {
    const init = { method: "POST", headers: { host: "edgewise.test", ...headers } };
    const response = await ask("/demo/session", init);
    expect(response.status).toBe(status);
    await response.body?.cancel();
  });
});

test("every answer carries its request id and a traceparent of the caller's trace", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const response = await ask("/health", {
    headers: { "x-request-id": "mine", traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  expect(response.headers.get("x-request-id")).toBe("mine");
  expect(response.headers.get("traceparent")).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  await response.body?.cancel();
});
