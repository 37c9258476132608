import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type LabelledText, readRows } from "../../dev/injection/rows.ts";
import { judgeText } from "../../src/shared/safety/injection/judge.ts";

/**
 * The shipped weights on the published sets, where they are. They were learned from these rows, so this says that the file belongs to the
 * code beside it and that nothing harmless was broken; how well unknown attacks are found is what `npm run eval:injection` tells.
 */
const folder = process.env["EDGEWISE_DATA"] ?? "../shared/data";
const file = `${folder}/safety/injection.jsonl`;

function found(rows: readonly LabelledText[], channel: "user" | "data" = "user"): number {
  return rows.filter(({ text }) => judgeText(text, channel, 0.5).found.length > 0).length / rows.length;
}

describe.skipIf(!existsSync(file))("published attacks and harmless prompts", () => {
  const rows = existsSync(file) ? readRows(file) : [];
  const of = (source: string, label: 0 | 1) =>
    rows.filter((row) => row.source === source && row.label === label);

  test.each([
    ["notinject_one", 0.01],
    ["mt_bench", 0.01],
    ["arena_hard_v01", 0.02],
    ["deepset", 0.01],
  ])("harmless prompts of %s pass", (source, most) => {
    expect(of(source, 0).length).toBeGreaterThan(100);
    expect(found(of(source, 0))).toBeLessThanOrEqual(most);
  });

  test.each([
    ["inthewild", 0.95],
    ["deepset", 0.9],
  ])("attacks of %s are found", (source, least) => {
    expect(found(of(source, 1))).toBeGreaterThan(least);
  });

  test("what documents may not say is found in data", () => {
    expect(found(of("bipia_text_test", 1), "data")).toBeGreaterThan(0.5);
  });

  test.each([["cranfield"], ["cisi"]])("documents of %s pass", (name) => {
    const lines = readFileSync(`${folder}/retrieval/${name}/corpus.jsonl`, "utf8").split("\n");
    const texts = lines.flatMap((line, at) =>
      line === ""
        ? []
        : [
            {
              id: String(at),
              source: name,
              label: 0 as const,
              text: (JSON.parse(line) as { text: string }).text,
            },
          ],
    );
    expect(found(texts, "data")).toBeLessThan(0.003);
  });
});
