/**
 * Learns weights from labelled texts. A text is judged by its worst window, so it also trains with it: first some rounds with random
 * windows, then, in each round, every text's worst window under the current weights (multiple-instance learning). The same rows and the
 * same seed give the same weights.
 */
import { featureCount, featuresOf, mostFeaturesOfWord } from "../../src/shared/safety/injection/features.ts";
import { readWords } from "../../src/shared/safety/injection/read-words.ts";
import { eachWindow, windowNorm } from "../../src/shared/safety/injection/windows.ts";
import type { LabelledText } from "./rows.ts";

export interface Example {
  readonly row: LabelledText;
  /** The features of all words; those of a word begin at `offsets[word]`. */
  readonly features: Int32Array;
  readonly offsets: Int32Array;
  /** Alternately the first word and the one after the last. */
  readonly windows: readonly number[];
}

export interface Trained {
  readonly bias: number;
  readonly weights: Float64Array;
}

export interface TrainingOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly rate: number;
  readonly decay: number;
}

const usualTraining: TrainingOptions = { seed: 20261130, rounds: 30, rate: 0.1, decay: 3e-3 };

export function exampleOf(row: LabelledText): Example {
  const words = readWords(row.text);
  const buffer = new Int32Array(mostFeaturesOfWord);
  const features: number[] = [];
  const offsets = new Int32Array(words.hashes.length + 1);
  for (let at = 0; at < words.hashes.length; at += 1) {
    const count = featuresOf(words, at, buffer);
    for (let index = 0; index < count; index += 1) features.push(buffer[index] ?? 0);
    offsets[at + 1] = features.length;
  }
  const windows: number[] = [];
  eachWindow(words.sentences, words.hashes.length, (from, to) => windows.push(from, to));
  return { row, features: Int32Array.from(features), offsets, windows };
}

/** The worst window and its score, in log-odds. A text without words is entirely harmless. */
function worstWindow(example: Example, { bias, weights }: Trained): { at: number; score: number } {
  const sums = new Float64Array(example.offsets.length);
  for (let word = 0; word + 1 < sums.length; word += 1) {
    let sum = sums[word] ?? 0;
    for (let index = example.offsets[word] ?? 0; index < (example.offsets[word + 1] ?? 0); index += 1)
      sum += weights[example.features[index] ?? 0] ?? 0;
    sums[word + 1] = sum;
  }
  let at = -1;
  let score = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < example.windows.length; index += 2) {
    const from = example.windows[index] ?? 0;
    const to = example.windows[index + 1] ?? 0;
    const found = bias + ((sums[to] ?? 0) - (sums[from] ?? 0)) / windowNorm(to - from);
    if (found > score) {
      score = found;
      at = index;
    }
  }
  return { at, score };
}

export function train(examples: readonly Example[], options: TrainingOptions = usualTraining): Trained {
  const random = seeded(options.seed);
  const weights = new Float64Array(featureCount);
  const squares = new Float64Array(featureCount).fill(1e-3);
  let bias = -1;
  let biasSquares = 1e-3;
  const attacks = examples.filter(({ row }) => row.label === 1).length;
  const classWeight = [1, (examples.length - attacks) / Math.max(1, attacks)] as const;
  const order = examples.map((_, at) => at);

  const step = (example: Example, window: number, share: number): void => {
    const from = example.windows[window] ?? 0;
    const to = example.windows[window + 1] ?? 0;
    const norm = windowNorm(to - from);
    const first = example.offsets[from] ?? 0;
    const last = example.offsets[to] ?? 0;
    let sum = 0;
    for (let index = first; index < last; index += 1) sum += weights[example.features[index] ?? 0] ?? 0;
    const odds = bias + sum / norm;
    const fault = (1 / (1 + Math.exp(-odds)) - example.row.label) * share * classWeight[example.row.label];
    const slope = fault / norm;
    for (let index = first; index < last; index += 1) {
      const feature = example.features[index] ?? 0;
      const own = slope + options.decay * (weights[feature] ?? 0);
      squares[feature] = (squares[feature] ?? 0) + own * own;
      weights[feature] = (weights[feature] ?? 0) - (options.rate * own) / Math.sqrt(squares[feature] ?? 1);
    }
    biasSquares += fault * fault;
    bias -= (options.rate * fault) / Math.sqrt(biasSquares);
  };

  // The average of the later rounds, since single steps fluctuate.
  const summed = new Float64Array(featureCount);
  let summedBias = 0;
  let kept = 0;
  for (let round = 0; round < options.rounds; round += 1) {
    shuffle(order, random);
    for (const at of order) {
      const example = examples[at];
      if (example === undefined || example.windows.length === 0) continue;
      const whole = round < options.rounds / 4;
      const window = whole
        ? 2 * Math.floor(random() * (example.windows.length / 2))
        : worstWindow(example, { bias, weights }).at;
      step(example, window, 1);
    }
    if (round < options.rounds / 2) continue;
    kept += 1;
    summedBias += bias;
    for (let at = 0; at < featureCount; at += 1) summed[at] = (summed[at] ?? 0) + (weights[at] ?? 0);
  }
  const mean = weights.map((_, at) => (summed[at] ?? 0) / kept);
  return { bias: summedBias / kept, weights: mean };
}

/** Marsaglia's xorshift: the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function shuffle(items: number[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other] ?? 0, items[at] ?? 0];
  }
}
