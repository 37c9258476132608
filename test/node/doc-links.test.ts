/** Do README and docs/ lead where they say? Every link, every named source file, every number of a decision. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";

const pages = [
  "README.md",
  ...readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
];

const withoutFences = (text: string): string => text.replaceAll(/```[\s\S]*?```/g, "");
const read = (path: string): string => withoutFences(readFileSync(`${root}${path}`, "utf8"));

/** As the forge makes an anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

const anchorsOf = (path: string): string[] =>
  [...read(path).matchAll(/^#+ +(.*)$/gm)].map(([, heading = ""]) => anchorOf(heading.trim()));

interface Link {
  readonly text: string;
  readonly path: string;
  readonly anchor: string | undefined;
}

const linksOf = (page: string): Link[] =>
  [...read(page).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , target = ""]) => !/^[a-z]+:/.test(target))
    .map(([, text = "", target = ""]) => {
      const [path = "", anchor] = target.split("#");
      return { text, path: path === "" ? page : join(dirname(page), path), anchor };
    });

test("the index of decisions has each of them", () => {
  const index = linksOf("docs/decisions/README.md").map(({ path }) => path);
  const decisions = pages.filter((page) => /^docs\/decisions\/\d{4}-/.test(page));
  expect(decisions.filter((page) => !index.includes(page))).toEqual([]);
});

describe.each(pages)("%s", (page) => {
  test("every link leads to a file, and to a heading where it names one", () => {
    const dead = linksOf(page).filter(
      ({ path, anchor }) =>
        !existsSync(`${root}${path}`) || (anchor !== undefined && !anchorsOf(path).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });

  test("a link that is called by a number leads to the decision of that number", () => {
    const wrong = linksOf(page).filter(({ text, path }) => {
      const said = /\d+/.exec(text)?.[0];
      const meant = /decisions\/(\d{4})-/.exec(path)?.[1];
      return said !== undefined && meant !== undefined && Number(said) !== Number(meant);
    });
    expect(wrong).toEqual([]);
  });

  test("every source file that it names exists", () => {
    // A decision is never edited: what it names may have moved on since.
    if (/^docs\/decisions\/\d/.test(page)) return;
    const named = [
      ...read(page).matchAll(/`((?:src|workers|durable-objects|dev|test|bench|config)\/[\w\-./]+)`/g),
    ];
    expect(named.map(([, path = ""]) => path).filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
  });
});
