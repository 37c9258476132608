/**
 * The linear model: a logistic regression for each category over hashed features (features.ts), with its weights (harm-weights.ts, generated).
 * Biases are shifted so that the threshold chosen in training is 0.5.
 */
import { categories } from "./categories.ts";
import { FeatureTable } from "./feature-table.ts";
import { eachFeature, featureVersion, symbolsOf, type TextSymbol } from "./features.ts";
import { harmWeights } from "./harm-weights.ts";
import { plainWords } from "./plain-words.ts";
import { subcategories } from "./subcategories.ts";

/** A feature is identified by these bits of its hash: about 1 of 4,000 features unseen in training is mistaken for another. */
export const keptBits = 0xff_ff_ff;
const hashBytes = 3;

const surest = 0.9999;

interface LinearModel {
  /** The index of each feature with weights. */
  readonly places: FeatureTable;
  /** For each feature, a weight for each category. */
  readonly weights: Int8Array;
  /** For each feature, the last window that had it. */
  readonly seen: Int32Array;
  window: number;
}

let decoded: LinearModel | null = null;

/** Decoded at the first text, so that it costs nothing without moderation. */
function model(): LinearModel {
  decoded ??= decode();
  return decoded;
}

function decode(): LinearModel {
  if (harmWeights.featureVersion !== featureVersion)
    throw new Error("harm-weights.ts is of other features: npm run train:moderation");
  const bytes = Uint8Array.from(atob(harmWeights.table), (character) => character.charCodeAt(0));
  const heads = categories.length;
  const features = bytes.length / (hashBytes + heads);
  const places = new FeatureTable(features);
  for (let at = 0; at < features; at += 1) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at * hashBytes, at * hashBytes + hashBytes);
    places.set((first << 16) | (second << 8) | third, at);
  }
  return {
    places,
    weights: new Int8Array(bytes.buffer, features * hashBytes),
    seen: new Int32Array(features),
    window: 0,
  };
}

/** A block's symbols, which the next block's window needs again. */
export function readBlock(text: string): readonly TextSymbol[] {
  return symbolsOf(plainWords(text));
}

/** The scores of a block, read after the one before it. */
export function scoreWindow(before: readonly TextSymbol[], block: readonly TextSymbol[]): number[] {
  const linear = model();
  const { places, weights, seen } = linear;
  linear.window += 1;
  const { window } = linear;
  const symbols = before.length === 0 ? block : [...before, ...block];
  const heads = categories.length;
  const sums = new Float64Array(heads);
  let found = 0;
  eachFeature(symbols, (feature) => {
    const place = places.get(feature & keptBits);
    // Each feature counts once.
    if (place < 0 || seen[place] === window) return;
    seen[place] = window;
    found += 1;
    const first = place * heads;
    for (let head = 0; head < heads; head += 1) sums[head] = (sums[head] ?? 0) + (weights[first + head] ?? 0);
  });
  const length = Math.max(1, found) ** harmWeights.norm;
  const scores = Array.from(sums, (sum, head) => {
    const logit = (harmWeights.biases[head] ?? 0) + (sum * (harmWeights.scales[head] ?? 0)) / length;
    // A threshold of 1 means never.
    return Math.min(surest, 1 / (1 + Math.exp(-logit)));
  });
  for (const { category, of, holds } of subcategories) {
    const sub = categories.indexOf(category);
    const whole = scores[categories.indexOf(of)] ?? 0;
    if (whole > (scores[sub] ?? 0) && holds(symbols)) scores[sub] = whole;
  }
  return scores;
}
