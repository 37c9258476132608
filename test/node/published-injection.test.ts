import { createHash } from "node:crypto";
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

  test.each([
    ["user", "768723a7e83283e8a951f045e3184f3c"],
    ["data", "184e09eec2cb6f96556fdb6db4b0cc77"],
  ] as const)("as %s each has the verdict that it had when the weights were learned", (channel, same) => {
    // Whoever makes the screen faster must not make it another: after a change that is meant, the new digest.
    const verdicts = rows.map(({ text }) => judgeText(text, channel, 0.5).found.length > 0);
    const digest = createHash("sha256").update(JSON.stringify(verdicts)).digest("hex").slice(0, 32);
    expect(digest).toBe(same);
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
