import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { costOf, routeCosts } from "../../src/shared/wire/route-costs.ts";
import { publicRoutes } from "../../src/shared/wire/routes.ts";

const tenants = publicRoutes.filter(({ scopes }) => scopes?.length === 0);
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`;

test("every route that changes something is in the table of costs, and the table names no other route", () => {
  const changing = tenants.filter(({ method }) => method === "POST" || method === "PUT").map(nameOf);
  const named = Object.keys(routeCosts);
  expect(changing.filter((name) => !named.includes(name))).toEqual([]);
  const known = tenants.map(nameOf);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

test("every route that counts can answer 429", () => {
  for (const route of tenants.filter((each) => costOf(each) !== "free"))
    expect([nameOf(route), route.errors]).toEqual([nameOf(route), expect.arrayContaining([429])]);
});

test("docs/limits.md shows the table of costs", () => {
  const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
  const words = { "a turn": "turn", "a request": "request", free: "free" } as const;
  const written = [...page.matchAll(/^\| `((?:GET|POST) \/v1\/\S+)` \| (a turn|a request|free)\b/gm)].map(
    ([, name = "", word = ""]) => [name, words[word as keyof typeof words]],
  );
  expect(written).toEqual(Object.entries(routeCosts));
});
