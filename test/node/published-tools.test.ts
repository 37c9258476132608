import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseIpAddress } from "../../src/shared/firewall/ip-address.ts";
import { evaluate } from "../../src/shared/tools/calculator/evaluate.ts";
import { isPublicAddress, isPublicHost } from "../../src/shared/tools/http/public-address.ts";
import { judgeSql } from "../../src/shared/tools/sql/judge-sql.ts";

/** How do the tools' guards judge what others published? Runs where the published data is. */
const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/tools`;

function rows<Row>(file: string): Row[] {
  return readFileSync(`${folder}/${file}`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

describe.skipIf(!existsSync(folder))("published data for tools", () => {
  test("every expression of grade-school-math is computed exactly", () => {
    const all = rows<{ expr: string; exact: number; published: string }>("calculator.jsonl");
    // Where the file's `exact` is wrong, what was published is right: it reads `.01` as `.1`.
    const misread = /(?<!\d)\.0\d/;
    const wrong = all.filter(({ expr, exact, published }) => {
      const value = evaluate(expr);
      const expected = misread.test(expr) ? Number(published) : exact;
      return !value.ok || Math.abs(numberOf(value.value) - expected) > 1e-12 * Math.abs(expected);
    });
    expect(wrong).toEqual([]);
    expect(all.filter(({ expr }) => misread.test(expr))).toHaveLength(5);
  });

  test("every address is allowed or denied as others do", () => {
    const all = rows<{ addr?: string; url?: string; expect: string }>("ssrf_targets.jsonl");
    const wrong = all.filter((row) => {
      const address = row.addr === undefined ? null : parseIpAddress(row.addr);
      const isPublic =
        row.url === undefined
          ? address !== null && isPublicAddress(address)
          : isPublicHost(new URL(row.url).hostname);
      return (isPublic ? "allow" : "deny") !== row.expect;
    });
    expect(wrong).toEqual([]);
  });

  test("every statement is allowed or rejected as others do, where all tables may be read", () => {
    const all = rows<{ id: string; sql: string; expect: string }>("sql_readonly.jsonl");
    // Theirs lets this one extension be created and called.
    const rules = { tables: null, extensions: ["hypopg"] };
    const wrong = all.filter(
      ({ sql, expect: expected }) => (judgeSql(sql, rules).ok ? "allow" : "reject") !== expected,
    );
    // Reads only, but our parser writes ANY as a function that no database has: refused with what to write in its place.
    expect(wrong.map(({ id }) => id)).toEqual(["pgmcp/L339"]);
  });
});

/** `1/3 (about …)`, or decimals. */
function numberOf(written: string): number {
  const [over = "", under = "1"] = (written.split(" ", 1)[0] ?? "").split("/");
  return Number(over) / Number(under);
}
