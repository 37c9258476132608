/** A comment that names a source file leads whoever reads it there: is it still called so? docs/ has doc-links.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";

const files = ["src", "durable-objects", "workers", "dev", "bench", "test"].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => `${folder}/${path}`),
);
const names = new Set([...files.map((path) => basename(path)), ...readdirSync(root)]);

/** Lines that are comments as a whole, as all are that name a file. */
const comments = (text: string): string => text.match(/^ *(?:\/\/|\/?\*).*$/gm)?.join("\n") ?? "";

test("every source file that a comment names exists", () => {
  const gone = files.flatMap((path) =>
    [...comments(readFileSync(`${root}${path}`, "utf8")).matchAll(/[\w-]+(?:\.[\w-]+)*\.tsx?\b/g)]
      .filter(([name]) => !names.has(name))
      .map(([name]) => `${path}: ${name}`),
  );
  expect(gone).toEqual([]);
});
