/** What is each of the two classifiers trained on, and how well does it judge unseen texts? */
import { featureCount } from "../../src/shared/safety/injection/features.ts";
import type { InjectionChannel } from "../../src/shared/safety/injection/injection-policy.ts";
import { judgeWith } from "../../src/shared/safety/injection/judge.ts";
import type { ChannelWeights } from "../../src/shared/safety/injection/weights.ts";
import type { LabelledText } from "./rows.ts";
import { type Example, exampleOf, seeded, shuffle, train, type Trained } from "./training.ts";
import { writtenExamples } from "./written-examples.ts";

const seed = 20261130;
const folds = 5;
/** How often each of our own patterns is expanded; and how many texts that are not requests are used. */
const eachPattern = 4;
const mostOther = 600;

/** A request about the answer itself: a user may make it, a document may not. */
const aboutTheAnswer = /\byour (?:\w+ )?(?:answer|reply|response|summary)\b/i;

/**
 * @param rows of the published sets @param other harmless texts that are no requests: what people write to each other
 */
export function trainingSet(
  channel: InjectionChannel,
  rows: readonly LabelledText[],
  other: readonly LabelledText[],
): Example[] {
  const written = writtenExamples(seed, eachPattern);
  const all = [...rows, ...written];
  const fitting =
    channel === "user"
      ? all.filter(({ kind, label }) => kind !== "indirect" || label === 0)
      : all.filter(({ label, text }) => label === 1 || !aboutTheAnswer.test(text));
  return [...fitting, ...some(other, mostOther)].map(exampleOf);
}

function some<Item>(items: readonly Item[], most: number): Item[] {
  const order = items.map((_, at) => at);
  shuffle(order, seeded(seed));
  return order.slice(0, most).flatMap((at) => items.slice(at, at + 1));
}

/** Rounds weights to eight bits, as they will be used. */
function rounded(channel: InjectionChannel, trained: Trained): ChannelWeights {
  const { scale, bytes } = quantised(trained);
  return { channel, bias: trained.bias, of: Float32Array.from(bytes, (byte) => byte * scale) };
}

export function quantised({ weights }: Trained): { readonly scale: number; readonly bytes: Int8Array } {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const scale = largest / 127;
  const bytes = new Int8Array(featureCount);
  for (let at = 0; at < featureCount; at += 1) bytes[at] = Math.round((weights[at] ?? 0) / scale);
  return { scale, bytes };
}

export interface ScoredRow {
  readonly row: LabelledText;
  /** Log-odds, by weights trained without the row. */
  readonly score: number;
}

/**
 * Scores every row by a classifier trained without its fifth of the rows.
 *
 * @param without leaves attacks of this source out of all training, to measure unknown attacks
 */
export function outOfFold(
  channel: InjectionChannel,
  rows: readonly LabelledText[],
  other: readonly LabelledText[],
  { without, foldSeed = 7 }: { readonly without?: string; readonly foldSeed?: number } = {},
): ScoredRow[] {
  const order = rows.map((_, at) => at);
  shuffle(order, seeded(foldSeed));
  const scored: ScoredRow[] = [];
  for (let fold = 0; fold < folds; fold += 1) {
    const held = new Set(order.filter((_, place) => place % folds === fold));
    const seen = rows.filter((row, at) => !held.has(at) && !(row.label === 1 && row.source === without));
    const weights = rounded(channel, train(trainingSet(channel, seen, other)));
    for (const at of held) {
      const [row] = rows.slice(at, at + 1);
      if (row !== undefined) scored.push({ row, score: scoreOf(row.text, weights) });
    }
  }
  return scored;
}

export function scoreOf(text: string, weights: ChannelWeights): number {
  const { probability } = judgeWith(text, weights, 0.5);
  return Math.log(probability / (1 - probability));
}

/** The score that this share of the harmless rows exceeds. */
export function scoreAt(scored: readonly ScoredRow[], falsePositives: number): number {
  const harmless = scored.flatMap(({ row, score }) => (row.label === 0 ? [score] : []));
  harmless.sort((a, b) => b - a);
  return harmless[Math.floor(harmless.length * falsePositives)] ?? Number.NEGATIVE_INFINITY;
}
