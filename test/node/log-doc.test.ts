import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("docs/log.md names every field of a request's line, and no other", () => {
  const source = read("src/shared/telemetry/request-record.ts");
  const [, members = ""] = /export interface RequestRecord \{(.*?)\n\}/s.exec(source) ?? [];
  const fields = [...members.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name = ""]) => name);
  expect(fields.length).toBeGreaterThan(30);
  const [, table = ""] = /<!-- fields: request line -->(.*?)\n\n/s.exec(read("docs/log.md")) ?? [];
  const written = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  );
  expect(new Set(written)).toEqual(new Set(fields));
  expect(written).toHaveLength(fields.length);
});
