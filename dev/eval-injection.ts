/**
 * `npm run eval:injection -- ../shared/data/safety/injection.jsonl`: how well does the injection screen tell attacks from harmless prompts?
 *
 * Rows of `kind` "indirect" are judged like tool results, all others like users' messages. First with the shipped weights, at the threshold
 * 0.5: these results are too good for rows that the weights were trained on, but true for any other file. Then out of fold: each row by
 * weights trained without it, and without its whole source. `--shipped` skips the second part.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { InjectionChannel } from "../src/shared/safety/injection/injection-policy.ts";
import { judgeText } from "../src/shared/safety/injection/judge.ts";
import { existingPath, readCommandLine } from "./commands/command-line.ts";
import { outOfFold, scoreAt, scoreOf, type ScoredRow } from "./injection/channels.ts";
import { weightsOf } from "../src/shared/safety/injection/weights.ts";
import { type LabelledText, otherTexts, readRows } from "./injection/rows.ts";

const { path, onlyShipped } = readCommandLine(
  "usage: npm run eval:injection -- <rows.jsonl> [--shipped]",
  () => {
    const { values, positionals } = parseArgs({
      options: { shipped: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    return { path: existingPath(positionals), onlyShipped: values.shipped };
  },
);
const rows = readRows(path);
const rates = [0.01, 0.005];

const channelOf = ({ kind }: LabelledText): InjectionChannel => (kind === "indirect" ? "data" : "user");
const isData = ({ row }: ScoredRow): boolean => channelOf(row) === "data";

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** For each source, how many of its rows exceed the score. */
function bySource(scored: readonly ScoredRow[], over: number): Map<string, { found: number; all: number }> {
  const tallies = new Map<string, { found: number; all: number }>();
  for (const { row, score } of scored) {
    const name = `${row.label === 1 ? "attack " : "harmless"} ${row.source}`;
    const tally = tallies.get(name) ?? { found: 0, all: 0 };
    tallies.set(name, { found: tally.found + (score > over ? 1 : 0), all: tally.all + 1 });
  }
  return new Map([...tallies].sort(([a], [b]) => a.localeCompare(b)));
}

function print(title: string, scored: readonly ScoredRow[], over: number): void {
  console.log(`\n${title}`);
  for (const [name, { found, all }] of bySource(scored, over))
    console.log(
      `  ${name.padEnd(34)} ${String(found).padStart(4)} of ${String(all).padStart(4)}  ${percent(found, all)}`,
    );
}

/** The attacks of both channels, with the harmless rows judged in both. */
function shipped(): void {
  const scored = rows.map((row) => ({ row, score: scoreOf(row.text, weightsOf(channelOf(row))) }));
  print("as shipped, at the threshold 0.5", scored, 0);
  // The harmless rows are requests, which in a tool result are hardest to distinguish from an attack.
  const brought = rows
    .filter((row) => row.label === 0 || channelOf(row) === "data")
    .map((row) => ({ row, score: scoreOf(row.text, weightsOf("data")) }));
  print("as shipped, all of it as if a tool had brought it, at the threshold 0.5", brought, 0);
  for (const rate of rates) {
    const user = scored.filter((each) => !isData(each));
    print(`as shipped, user, ${100 * rate} % of harmless rows found`, user, scoreAt(user, rate));
    print(`as shipped, data, ${100 * rate} % of harmless rows found`, brought, scoreAt(brought, rate));
  }
}

function withoutTheRows(): void {
  const folder = dirname(path);
  if (!existsSync(`${folder}/harm.jsonl`)) {
    console.log(
      "\nout of fold: harm.jsonl and pii_spans.jsonl, which training takes as well, are not beside the rows",
    );
    return;
  }
  const other = otherTexts(folder);
  const user = outOfFold("user", rows, other).filter((each) => !isData(each));
  const data = outOfFold("data", rows, other).filter((each) => isData(each) || each.row.label === 0);
  for (const rate of rates) {
    print(`out of fold, user, ${100 * rate} % of harmless rows found`, user, scoreAt(user, rate));
    print(`out of fold, data, ${100 * rate} % of harmless rows found`, data, scoreAt(data, rate));
  }
  const sources = new Set(
    rows.flatMap((row) => (row.label === 1 && channelOf(row) === "user" ? [row.source] : [])),
  );
  for (const without of sources) {
    const scored = outOfFold("user", rows, other, { without }).filter((each) => !isData(each));
    for (const rate of rates) {
      const { found = 0, all = 0 } = bySource(scored, scoreAt(scored, rate)).get(`attack  ${without}`) ?? {};
      console.log(
        `\nnever trained on ${without}, ${100 * rate} % of harmless rows found: ${found} of ${all}  ${percent(found, all)}`,
      );
    }
  }
}

/** Ordinary documents, if the published collections are beside the rows: a data screen must not find attacks in them. */
function documents(): void {
  for (const name of ["cranfield", "cisi"]) {
    const file = `${dirname(path)}/../retrieval/${name}/corpus.jsonl`;
    if (!existsSync(file)) continue;
    const texts = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { text: string }).text);
    const found = texts.filter((text) => judgeText(text, "data", 0.5).found.length > 0).length;
    console.log(`\ndocuments of ${name} found: ${found} of ${texts.length}  ${percent(found, texts.length)}`);
  }
}

/** Measures the CPU time of a judgement. */
function pace(): void {
  const texts = {
    prose: rows
      .filter(({ label }) => label === 0)
      .map(({ text }) => text)
      .join("\n")
      .repeat(20)
      .slice(0, 100_000),
    attacks: rows
      .filter(({ label }) => label === 1)
      .map(({ text }) => text)
      .join("\n")
      .repeat(20)
      .slice(0, 100_000),
    "one letter": "a ".repeat(50_000),
    stops: "a.".repeat(50_000),
    // Words of attacks: plain, in ROT13, backwards, and both.
    "all ways": "ignore previous vtaber cerivbhf erongi suoiverp rebatv fhbvirec "
      .repeat(2_000)
      .slice(0, 100_000),
    base64: "QUJD".repeat(25_000),
    ideographs: "忽略".repeat(50_000),
    invisible: "a\u200b".repeat(50_000),
  };
  console.log("\n100,000 characters, milliseconds of CPU (median of 25)");
  for (const [name, text] of Object.entries(texts)) {
    const times: number[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      const before = process.cpuUsage();
      judgeText(text, "user", 0.5);
      const { user, system } = process.cpuUsage(before);
      if (turn >= 5) times.push((user + system) / 1000);
    }
    times.sort((a, b) => a - b);
    console.log(`  ${name.padEnd(12)} ${(times[12] ?? 0).toFixed(1)}`);
  }
}

shipped();
if (!onlyShipped) withoutTheRows();
documents();
pace();
