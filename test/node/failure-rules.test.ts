import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";

const page = readFileSync(`${root}docs/failure-rules.md`, "utf8");
const rules = [...page.matchAll(/^\| ([^|]+) \| [^|]+ \| `([^`]+)`: (.+) \|$/gm)].map(
  ([, rule, file, name]) => ({ rule, file, name }),
);

test("the page lists its rules", () => {
  expect(rules.length).toBe(page.split("\n").filter((line) => /^\| (?!what fails|---)/.test(line)).length);
});

test.each(rules)("$rule: the test that shows it exists", ({ file = "", name = "" }) => {
  expect(existsSync(`${root}${file}`)).toBe(true);
  expect(readFileSync(`${root}${file}`, "utf8")).toContain(name);
});
