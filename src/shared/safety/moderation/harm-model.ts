/**
 * The linear model: a logistic regression for each category over hashed features (features.ts), with its weights (harm-weights.ts, generated).
 * Biases are laid so that 0.5 is the threshold that training chose.
 */
import { categories } from "./categories.ts";
import { FeatureTable } from "./feature-table.ts";
import { eachFeature, featureVersion, symbolsOf, type TextSymbol } from "./features.ts";
import { harmWeights } from "./harm-weights.ts";
import { plainWords } from "./plain-words.ts";
import { subcategories } from "./subcategories.ts";

/** A feature is kept by as many bits of its hash: of features that training never saw, one in some 4,000 is taken for another. */
export const keptBits = 0xff_ff_ff;
const hashBytes = 3;

const surest = 0.9999;

interface LinearModel {
  /** The number of each feature that is kept. */
  readonly places: FeatureTable;
  /** By feature, a weight for each category. */
  readonly weights: Int8Array;
  /** By feature: the window that had it last. */
  readonly seen: Int32Array;
  window: number;
}

let decoded: LinearModel | null = null;

/** At the first text: whoever moderates nothing decodes nothing. */
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

/** What a block says, in the form in which the next block's window needs it again. */
export function readBlock(text: string): readonly TextSymbol[] {
  return symbolsOf(plainWords(text));
}

/** Scores of a block, read behind the one before it. */
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
    // Each counts once.
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
