import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Place } from "../../src/shared/firewall/injection/rule.ts";
import { scanHeader, scanPath, scanQuery, type Finding } from "../../src/shared/firewall/injection/scan.ts";
import { targetFault } from "../../src/shared/firewall/request-target.ts";

/**
 * OWASP CRS's own regression requests. Only URL and headers are scanned: payloads in bodies pass on purpose, as people
 * paste code into prompts. Runs where the published data is.
 */
const file = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/waf/crs.jsonl`;

interface Row {
  readonly id: string;
  readonly family: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string | null;
  readonly expect: readonly number[] | null;
}

/** Headers that the tests' own client always sends, and that say nothing of an attack. */
const ordinary = new Set(
  "host accept accept-encoding accept-language connection keep-alive proxy-connection content-length content-type cache-control pragma x-ftw".split(
    " ",
  ),
);

function placeOf(name: string): Place {
  if (name === "user-agent" || name === "referer" || name === "cookie") return name;
  return /^x[-_.]?file[-_.]?name$/.test(name) ? "file-name" : "header";
}

function scan({ uri, headers }: Row): Finding | null {
  const [path = "", ...rest] = uri.split("?");
  const inLine = scanPath(path) ?? scanQuery(rest.join("?"));
  if (inLine !== null) return inLine;
  for (const [name, value] of Object.entries(headers)) {
    const finding = scanHeader(value, placeOf(name.toLowerCase()));
    if (finding !== null) return finding;
  }
  return null;
}

/** Is the payload in what is scanned, or in the body? */
function isInLine({ uri, headers, data }: Row): boolean {
  if (data === null || /[^\w/]/.test(uri)) return true;
  return Object.entries(headers).some(
    ([name, value]) => !ordinary.has(name.toLowerCase()) && !/^OWASP (?:CRS|ModSecurity)/.test(value),
  );
}

describe.skipIf(!existsSync(file))("published attacks (OWASP CRS)", () => {
  const rows = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Row)
    : [];

  test.each([
    ["930", 0.9],
    ["932", 0.9],
    ["941", 0.9],
    ["942", 0.9],
  ])("family %s: recall in URL and headers is at least %s", (family, least) => {
    const attacks = rows.filter(
      (row) => row.family.includes(`-${family}-`) && row.expect !== null && isInLine(row),
    );
    const found = attacks.filter((row) => scan(row) !== null);
    // oxlint-disable-next-line no-console -- the figure is the point of this test.
    console.log(`${family}: ${found.length} of ${attacks.length}`);
    expect(attacks.length).toBeGreaterThan(0);
    expect(found.length / attacks.length).toBeGreaterThanOrEqual(least);
  });

  test("no row that must not match is blocked, nor refused for its URL", () => {
    const benign = rows.filter((row) => row.expect === null);
    expect(benign.length).toBeGreaterThan(0);
    for (const row of benign) {
      const [path = "", ...rest] = row.uri.split("?");
      expect([row.id, scan(row), targetFault({ path, query: rest.join("?") })]).toEqual([row.id, null, null]);
    }
  });

  test("payloads in bodies pass, on purpose", () => {
    const inBody = rows.filter((row) => row.expect !== null && !isInLine(row));
    expect(inBody.length).toBeGreaterThan(100);
    expect(inBody.filter((row) => scan(row) !== null)).toEqual([]);
  });
});
