/**
 * How often would the semantic cache answer a question by another's answer, and how often wrongly? On labelled pairs of questions:
 * `npm run eval:cache -- ../shared/data/cache/question_pairs.jsonl`. docs/semantic-cache.md says how to read it.
 *
 * A pair is a hit if the second question would get the answer stored for the first. Every other line is for tuning, the rest is held
 * out: thresholds are chosen on the former and reported on the latter.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as z from "zod";
import {
  compareFeatures,
  featuresOf,
  type GuardLevel,
} from "../src/shared/cache/semantic/question-features.ts";
import { lexicalThreshold } from "../src/shared/cache/semantic/semantic-policy.ts";
import { SipHash } from "../src/shared/cache/semantic/sip-hash.ts";
import { packVector, similarity } from "../src/shared/cache/semantic/vector-bytes.ts";
import { lexicalVector } from "../src/shared/retrieval/lexical-embedder.ts";
import { existingPath, readCommandLine } from "./commands/command-line.ts";

const pairSchema = z.object({ a: z.string(), b: z.string(), same: z.union([z.literal(0), z.literal(1)]) });
export type QuestionPair = z.infer<typeof pairSchema>;

export interface ScoredPair {
  readonly isSame: boolean;
  /** Cosine similarity of the texts as written, and of their canonical words. */
  readonly raw: number;
  readonly canonical: number;
  /** The guards that let it pass. */
  readonly passes: Readonly<Record<GuardLevel | "none", boolean>>;
}

export interface Tally {
  readonly right: number;
  readonly wrong: number;
  /** Of pairs that ask the same. */
  readonly same: number;
}

const levels = ["none", "facts", "words"] as const;
const thresholds = [0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995] as const;
const leastPrecision = 0.98;

export function readPairs(text: string): readonly QuestionPair[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => pairSchema.parse(JSON.parse(line)));
}

export function halves<T>(all: readonly T[]): {
  readonly tuning: readonly T[];
  readonly heldOut: readonly T[];
} {
  return { tuning: all.filter((_, at) => at % 2 === 0), heldOut: all.filter((_, at) => at % 2 === 1) };
}

export function scorePair({ a, b, same }: QuestionPair, hash: SipHash): ScoredPair {
  const one = featuresOf(a, hash);
  const other = featuresOf(b, hash);
  const said = (side: typeof one): string => side.reading.words.join(" ");
  const passes = (level: GuardLevel): boolean =>
    compareFeatures(one.features, other.features, level) === "same";
  return {
    isSame: same === 1,
    raw: cosine(a, b),
    canonical: cosine(said(one), said(other)),
    passes: { none: true, facts: passes("facts"), words: passes("words") },
  };
}

/** Compares packed vectors, as they are stored. */
function cosine(one: string, other: string): number {
  return similarity(packVector(lexicalVector(one)), packVector(lexicalVector(other)));
}

export function tally(
  pairs: readonly ScoredPair[],
  by: "raw" | "canonical",
  level: (typeof levels)[number],
  threshold: number,
): Tally {
  const hits = pairs.filter((pair) => pair[by] >= threshold && pair.passes[level]);
  const right = hits.filter(({ isSame }) => isSame).length;
  return { right, wrong: hits.length - right, same: pairs.filter(({ isSame }) => isSame).length };
}

export function precision({ right, wrong }: Tally): number {
  return right + wrong === 0 ? 1 : right / (right + wrong);
}

/** The lowest printed threshold whose hits are right often enough; `null`: none. */
export function lowestSafe(
  pairs: readonly ScoredPair[],
  by: "raw" | "canonical",
  level: (typeof levels)[number],
): number | null {
  return (
    thresholds.find((threshold) => precision(tally(pairs, by, level, threshold)) >= leastPrecision) ?? null
  );
}

export function written(name: string, found: Tally): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return `${name}: ${found.right} right, ${found.wrong} wrong, precision ${percent(precision(found))}, recall ${percent(found.right / Math.max(1, found.same))}`;
}

if (import.meta.main) {
  const usage = "usage: npm run eval:cache -- <question_pairs.jsonl>";
  const path = readCommandLine(usage, () => existingPath(parseArgs({ allowPositionals: true }).positionals));
  const pairs = readPairs(readFileSync(path, "utf8"));
  const hash = new SipHash(new Uint8Array(16));
  const startedMs = performance.now();
  const { tuning, heldOut } = halves(pairs.map((pair) => scorePair(pair, hash)));
  const eachMs = (performance.now() - startedMs) / (2 * pairs.length);
  console.log(
    `${pairs.length} pairs, ${heldOut.length} held out; ${eachMs.toFixed(3)} ms to read and embed a question`,
  );
  for (const [by, level] of [
    ["raw", "none"],
    ["raw", "facts"],
    ["canonical", "none"],
    ["canonical", "facts"],
    ["canonical", "words"],
  ] as const) {
    const safe = lowestSafe(tuning, by, level);
    console.log(
      `\nlexical, ${by} words, guards: ${level}; lowest with 98 % on the tuning half: ${safe ?? "none"}`,
    );
    for (const threshold of thresholds)
      console.log(`  ${written(`held out, ${threshold}`, tally(heldOut, by, level, threshold))}`);
  }
  console.log(`\nas shipped (canonical, words, ${lexicalThreshold})`);
  console.log(`  ${written("tuning", tally(tuning, "canonical", "words", lexicalThreshold))}`);
  console.log(`  ${written("held out", tally(heldOut, "canonical", "words", lexicalThreshold))}`);
}
