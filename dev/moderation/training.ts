/** Logistic regression by AdaGrad with L2, one head at a time, over windows of blocks. Deterministic by its seed. */
import type { Category } from "../../src/shared/safety/moderation/categories.ts";
import { eachFeature, symbolsOf, type TextSymbol } from "../../src/shared/safety/moderation/features.ts";
import { plainWords } from "../../src/shared/safety/moderation/plain-words.ts";
import { subcategories } from "../../src/shared/safety/moderation/subcategories.ts";
import { blocksOf } from "../../src/shared/safety/moderation/text-blocks.ts";
import type { Head, LabelledText } from "./rows.ts";

export interface Options {
  readonly seed: number;
  readonly epochs: number;
  readonly rate: number;
  readonly l2: number;
  /** Features in fewer texts are left out. */
  readonly leastTexts: number;
  /** x is divided by its length to this power. */
  readonly norm: number;
  /** The highest extra weight of a text with the label. */
  readonly balance: number;
}

/** The weights of one head, in the order of the vocabulary's features. */
export interface TrainedHead {
  readonly bias: number;
  readonly weights: Float64Array;
}

/** Index of each feature, by its hash. */
export type Vocabulary = ReadonlyMap<number, number>;

/** The symbols of each window of a text: a block and the one before it. */
function symbolsByWindow(text: string): readonly (readonly TextSymbol[])[] {
  const blocks = blocksOf(text).map((block) => symbolsOf(plainWords(block)));
  return blocks.map((block, at) => [...(blocks[at - 1] ?? []), ...block]);
}

function featuresOf(symbols: readonly TextSymbol[]): Uint32Array {
  const features = new Set<number>();
  eachFeature(symbols, (feature) => features.add(feature));
  return Uint32Array.from(features);
}

export interface Prepared extends LabelledText {
  /** The features of each window. */
  readonly windows: readonly Uint32Array[];
  /** For each subcategory, the windows where its rule applies. */
  readonly holds: ReadonlyMap<Category, readonly boolean[]>;
}

export function prepare(texts: readonly LabelledText[]): Prepared[] {
  return texts.map((text) => {
    const windows = symbolsByWindow(text.text);
    const holds = subcategories.map(
      (one) => [one.category, windows.map((symbols) => one.holds(symbols))] as const,
    );
    return { ...text, windows: windows.map(featuresOf), holds: new Map(holds) };
  });
}

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function vocabulary(texts: readonly Prepared[], leastTexts: number): Vocabulary {
  const counts = new Map<number, number>();
  for (const { windows } of texts)
    for (const feature of new Set(windows.flatMap((one) => [...one])))
      counts.set(feature, (counts.get(feature) ?? 0) + 1);
  const kept = [...counts].filter(([, count]) => count >= leastTexts).map(([feature]) => feature);
  return new Map(kept.map((feature, at) => [feature, at]));
}

/** The indices of a window's features, without those outside the vocabulary. */
function placesOf(features: Uint32Array, known: Vocabulary): Uint32Array {
  const places: number[] = [];
  for (const feature of features) {
    const place = known.get(feature);
    if (place !== undefined) places.push(place);
  }
  return Uint32Array.from(places);
}

export function trainHead(
  texts: readonly Prepared[],
  head: Head,
  known: Vocabulary,
  options: Options,
): TrainedHead {
  const rows = texts.flatMap((text) => {
    const label = text.known[head];
    return label === undefined ? [] : [{ label, windows: text.windows.map((one) => placesOf(one, known)) }];
  });
  const positives = rows.filter((row) => row.label).length;
  const boost = Math.min(options.balance, (rows.length - positives) / Math.max(1, positives));
  const weights = new Float64Array(known.size);
  const squares = new Float64Array(known.size).fill(1e-8);
  let bias = 0;
  let biasSquare = 1e-8;
  const next = random(options.seed);
  const score = (places: Uint32Array): number =>
    bias + sumOf(weights, places) / lengthOf(places.length, options.norm);
  const step = (places: Uint32Array, label: boolean, weight: number): void => {
    const scale = 1 / lengthOf(places.length, options.norm);
    const error = (sigmoid(score(places)) - (label ? 1 : 0)) * weight;
    biasSquare += error * error;
    bias -= (options.rate * error) / Math.sqrt(biasSquare);
    for (const place of places) {
      const before = weights[place] ?? 0;
      const gradient = error * scale + options.l2 * before;
      const square = (squares[place] ?? 0) + gradient * gradient;
      squares[place] = square;
      weights[place] = before - (options.rate * gradient) / Math.sqrt(square);
    }
  };
  const order = rows.map((_, at) => at);
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    for (let at = order.length - 1; at > 0; at -= 1) {
      const other = Math.floor(next() * (at + 1));
      [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
    }
    for (const at of order) {
      const row = rows[at];
      if (row === undefined) continue;
      if (row.label) {
        // Some window of the text contains the harm: train on the one that scores highest.
        let best = row.windows[0] ?? new Uint32Array();
        for (const one of row.windows) if (score(one) > score(best)) best = one;
        step(best, true, boost);
      } else for (const one of row.windows) step(one, false, 1 / Math.sqrt(row.windows.length));
    }
  }
  return { bias, weights };
}

function sumOf(weights: Float64Array, places: Uint32Array): number {
  let sum = 0;
  for (const place of places) sum += weights[place] ?? 0;
  return sum;
}

function lengthOf(features: number, norm: number): number {
  return Math.max(1, features) ** norm;
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

export function scoreOf(
  head: TrainedHead,
  known: Vocabulary,
  windows: readonly Uint32Array[],
  norm: number,
): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const features of windows) {
    const places = placesOf(features, known);
    most = Math.max(most, head.bias + sumOf(head.weights, places) / lengthOf(places.length, norm));
  }
  return sigmoid(most);
}

/** The fold by a hash of the group: independent of the rest of the set. */
export function foldOf(group: string, folds: number): number {
  let hash = 7;
  for (const character of group) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % folds;
}

/** The probability that a harmful text scores above a harmless one. */
export function auroc(scored: readonly { readonly score: number; readonly label: boolean }[]): number {
  const sorted = scored.toSorted((a, b) => a.score - b.score);
  let ranks = 0;
  for (let at = 0; at < sorted.length;) {
    let end = at;
    while (end < sorted.length && sorted[end]?.score === sorted[at]?.score) end += 1;
    for (let tied = at; tied < end; tied += 1) if (sorted[tied]?.label === true) ranks += (at + end + 1) / 2;
    at = end;
  }
  const positives = sorted.filter((one) => one.label).length;
  const negatives = sorted.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
