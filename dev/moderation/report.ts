/** The tables about moderation that eval:safety prints. */
import { existsSync, readFileSync } from "node:fs";
import { categories } from "../../src/shared/safety/moderation/categories.ts";
import { classify } from "../../src/shared/safety/moderation/classify.ts";
import { chooseThresholds, type Judged, marginOf, outOfFold } from "./fit.ts";
import { benignPrompts, harmTexts, type Head, heads, ownTexts } from "./rows.ts";
import { auroc } from "./training.ts";

const sources = ["hatecheck", "oai_mod", "surge", "own"] as const;

export function* moderationReport(folder: string): Generator<string> {
  const texts = [...harmTexts(folder), ...benignPrompts(folder), ...ownTexts()];
  const byTemplate = outOfFold(texts, "template");
  // Chosen once, by template, like the shipped ones.
  const thresholds = chooseThresholds(byTemplate);
  for (const [name, judged] of [
    ["template", byTemplate],
    ["row", outOfFold(texts, "row")],
  ] as const) {
    yield `## out of fold by ${name}`;
    yield "";
    yield* bySource(judged, thresholds);
    yield* byCategory(judged, thresholds);
    yield* byFunctionality(judged, thresholds);
  }
  yield* unseen(folder);
}

/** The largest margin of all categories. */
function margin(text: Judged, thresholds: Readonly<Record<Head, number>>): number {
  return Math.max(...heads.map((head) => marginOf(text, head, thresholds)));
}

function figures(rows: readonly { readonly score: number; readonly label: boolean }[]): string {
  const flagged = rows.filter((row) => row.score >= 0);
  const right = flagged.filter((row) => row.label).length;
  const positives = rows.filter((row) => row.label).length;
  const precision = right / flagged.length;
  const recall = right / positives;
  const wrong = (flagged.length - right) / (rows.length - positives);
  return [precision, recall, (2 * precision * recall) / (precision + recall), wrong, auroc(rows)]
    .map((value) => (Number.isNaN(value) ? "–" : value.toFixed(3)).padStart(9))
    .join("");
}

const heading = "precision   recall       F1      FPR    AUROC";

function* bySource(judged: readonly Judged[], thresholds: Readonly<Record<Head, number>>): Generator<string> {
  yield `${"source, any category".padEnd(30)}${"texts".padStart(6)} ${heading}`;
  for (const source of sources) {
    const rows = judged
      .filter((text) => text.source === source)
      .map((text) => ({ score: margin(text, thresholds), label: text.harmful }));
    yield `${source.padEnd(30)}${String(rows.length).padStart(6)} ${figures(rows)}`;
  }
  const benign = judged.filter((text) => text.source.startsWith("benign/"));
  for (const source of new Set(benign.map((text) => text.source))) {
    const rows = benign.filter((text) => text.source === source);
    const flagged = rows.filter((text) => margin(text, thresholds) >= 0).length;
    yield `${source.padEnd(30)}${String(rows.length).padStart(6)} flagged ${flagged} (${(flagged / rows.length).toFixed(4)})`;
  }
  yield "";
}

function* byCategory(
  judged: readonly Judged[],
  thresholds: Readonly<Record<Head, number>>,
): Generator<string> {
  yield `${"category, where labelled".padEnd(30)}${"harm".padStart(6)} ${heading}`;
  for (const head of heads) {
    const rows = judged.flatMap((text) => {
      const label = text.known[head];
      return label === undefined
        ? []
        : [{ score: marginOf(text, head, thresholds), label, source: text.source }];
    });
    for (const source of [null, "oai_mod"] as const) {
      const some = source === null ? rows : rows.filter((row) => row.source === source);
      const positives = some.filter((row) => row.label).length;
      if (positives === 0) continue;
      const name = source === null ? head : `  of ${source}`;
      yield `${name.padEnd(30)}${String(positives).padStart(6)} ${figures(some)}`;
    }
  }
  yield "";
}

function* byFunctionality(
  judged: readonly Judged[],
  thresholds: Readonly<Record<Head, number>>,
): Generator<string> {
  yield "HateCheck by functionality: flagged as hate, flagged at all (h: hateful, nh: not)";
  const names = [...new Set(judged.flatMap((text) => text.functionality ?? []))].toSorted();
  for (const name of names) {
    const rows = judged.filter((text) => text.functionality === name);
    const hate = rows.filter((text) => text.logits.hate >= thresholds.hate).length;
    const any = rows.filter((text) => margin(text, thresholds) >= 0).length;
    yield `${name.padEnd(30)}${String(rows.length).padStart(6)}${(hate / rows.length).toFixed(2).padStart(9)}${(any / rows.length).toFixed(2).padStart(9)}`;
  }
  yield "";
}

/** Benign texts outside all training, judged by the shipped weights. */
const benignFiles = [
  ["retrieval/cranfield/corpus.jsonl", "text"],
  ["retrieval/cisi/corpus.jsonl", "text"],
  ["cache/question_pairs.jsonl", "a"],
] as const;

function* unseen(folder: string): Generator<string> {
  yield "## unseen by training, shipped weights";
  for (const [file, field] of benignFiles) {
    const path = `${folder}/../${file}`;
    if (!existsSync(path)) continue;
    const lines = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .slice(0, 2000);
    const flagged = new Map<string, number>();
    let any = 0;
    let characters = 0;
    const beganMs = performance.now();
    for (const line of lines) {
      const text = textOf(JSON.parse(line), field);
      characters += text.length;
      const scores = classify(text);
      if (scores.some((score) => score >= 0.5)) any += 1;
      for (const [at, name] of categories.entries())
        if ((scores[at] ?? 0) >= 0.5) flagged.set(name, (flagged.get(name) ?? 0) + 1);
    }
    const nanoseconds = ((performance.now() - beganMs) * 1e6) / characters;
    yield `${file.padEnd(40)}${String(lines.length).padStart(6)} flagged ${any} (${(any / lines.length).toFixed(4)})  ${nanoseconds.toFixed(0)} ns a character  ${[...flagged].map(([name, count]) => `${name} ${count}`).join(", ")}`;
  }
}

function textOf(row: unknown, field: string): string {
  const value = (row as Readonly<Record<string, unknown>>)[field];
  if (typeof value !== "string") throw new Error(`a row without ${field}`);
  return value;
}
