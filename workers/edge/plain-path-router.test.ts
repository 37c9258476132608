import { TrieRouter } from "hono/router/trie-router";
import { expect, test } from "vitest";
import { createApp } from "./app.ts";
import { PlainPathRouter } from "./plain-path-router.ts";

test("it says what Hono's router of tries says, of every route and the first time as the second", () => {
  const ours = new PlainPathRouter<string>();
  const theirs = new TrieRouter<string>();
  const { routes } = createApp();
  for (const { method, path } of routes)
    for (const router of [ours, theirs]) router.add(method, path, `${method} ${path}`);
  const methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
  const paths = routes.flatMap(({ path }) => {
    const asked = path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "some-id");
    return [path, asked, `${asked}/`, `${asked}/more`];
  });
  for (const path of [...paths, "/", "/v1/nothing", "/v1/chat/completions?a=b"])
    for (const method of methods) {
      const expected = theirs.match(method, path);
      expect([path, ours.match(method, path)]).toEqual([path, expected]);
      expect([path, ours.match(method, path)]).toEqual([path, expected]);
    }
});

test("a plain path is looked for once", () => {
  const router = new PlainPathRouter<string>();
  router.add("POST", "/v1/chat/completions", "chat");
  const first = router.match("POST", "/v1/chat/completions");
  expect(first[0]).toEqual([["chat", {}]]);
  expect(router.match("POST", "/v1/chat/completions")).toBe(first);
  expect(router.match("GET", "/v1/chat/completions")[0]).toEqual([]);
});
