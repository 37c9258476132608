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

/** As `test("…"`, `it(`, `test.each(…)(`: what stands in the page is all of a test's title, and no comment or part of another's. */
function titles(source: string): readonly string[] {
  return [...source.matchAll(/(?<=[(\n]\s*)(["'`])((?:(?!\1).)+)\1,/g)].map(([, , title = ""]) => title);
}

test.each(rules)("$rule: the test that shows it exists", ({ file = "", name = "" }) => {
  expect(existsSync(`${root}${file}`)).toBe(true);
  const source = readFileSync(`${root}${file}`, "utf8");
  expect(titles(source)).toContain(name);
  // A rule that is shown on some machines only is shown by nothing; but a page needs a browser.
  const conditional =
    /\b(?:test|it|describe)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|only|fails)\b(?!\(browser === null\)).*/;
  expect(conditional.exec(source)?.[0]).toBeUndefined();
});
