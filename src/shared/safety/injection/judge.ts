/**
 * Does this text try to take over a model? Its words (read-words.ts) are scored by a linear classifier, one for what a user says and one
 * for what programs supply, in windows of whole sentences; the worst window decides. A fixed rule adds to the
 * score for signs that no honest text has (control tokens, invisible characters, disguised attack words). Encoded text is decoded and judged as well, to a depth of two.
 * Time and memory are linear in the text's length.
 */
import { featuresOf, mostFeaturesOfWord } from "./features.ts";
import { blobTexts, type HiddenText, notTurned, turnedTexts, type Turns } from "./hidden-texts.ts";
import type { InjectionChannel } from "./injection-policy.ts";
import { classBits } from "./lexicon.ts";
import { readWords } from "./read-words.ts";
import type { ReadWords } from "./word-list.ts";
import { Repeats } from "./repeats.ts";
import { type ChannelWeights, weightsOf } from "./weights.ts";
import { eachWindow, windowNorm } from "./windows.ts";

/** A run of sentences judged to be an attack. Places refer to the text, `end` exclusive. */
export interface FoundWindow {
  readonly start: number;
  readonly end: number;
  /** Index of the window size (windows.ts); 0: a single sentence. */
  readonly size: number;
  /** Log-odds: 0 is the probability 0.5. */
  readonly score: number;
}

export interface Judgement {
  /** 0 to 1: the probability that the worst window is an attack. */
  readonly probability: number;
  /** All windows over the threshold, in order; they overlap. */
  readonly found: readonly FoundWindow[];
}

/** How deep encodings within encodings are followed. */
const mostDepth = 2;

export function judgeText(text: string, channel: InjectionChannel, threshold: number): Judgement {
  return judgeWith(text, weightsOf(channel), threshold);
}

/** The same with other weights, for training and evaluation. */
export function judgeWith(text: string, weights: ChannelWeights, threshold: number): Judgement {
  const found: FoundWindow[] = [];
  const worst = judge(text, weights, Math.log(threshold / (1 - threshold)), found, mostDepth, notTurned);
  return { probability: 1 / (1 + Math.exp(-worst)), found };
}

/** Returns the worst window's score; `-Infinity` for a text without words. */
function judge(
  text: string,
  weights: ChannelWeights,
  atLeast: number,
  found: FoundWindow[],
  depth: number,
  turns: Turns,
): number {
  const words = readWords(text);
  let worst = judgeWords(words, weights, atLeast, found);
  if (depth === 0) return worst;
  const hidden = (inner: HiddenText, turned: Turns): void => {
    const within: FoundWindow[] = [];
    const score = judge(inner.text, weights, atLeast, within, depth - 1, turned);
    worst = Math.max(worst, score);
    const { placeOf } = inner;
    for (const window of within) {
      const a = placeOf === null ? inner.start : placeOf(window.start);
      const b = placeOf === null ? inner.end : placeOf(window.end);
      found.push({ ...window, start: Math.min(a, b), end: Math.max(a, b) });
    }
  };
  for (const inner of blobTexts(text)) hidden(inner, notTurned);
  for (const inner of turnedTexts(text, words.hashes, turns)) hidden(inner, inner.turns);
  return worst;
}

function judgeWords(
  words: ReadWords,
  weights: ChannelWeights,
  atLeast: number,
  found: FoundWindow[],
): number {
  const count = words.hashes.length;
  const sums = new Float64Array(count + 1);
  const signs = new Float64Array(count + 1);
  const features = new Int32Array(mostFeaturesOfWord);
  const learned = weights.of;
  const repeats = new Repeats(count);
  for (let at = 0; at < count; at += 1) {
    const seen = featuresOf(words, at, features);
    const before = sums[at] ?? 0;
    let sum = before;
    for (let index = 0; index < seen; index += 1) sum += learned[features[index] ?? 0] ?? 0;
    const isMore = at > 0 && repeats.isMore(features[1] ?? 0, at);
    sums[at + 1] = isMore ? Math.min(before, sum) : sum;
    signs[at + 1] = (signs[at] ?? 0) + signOf(words.masks[at] ?? 0, weights.channel);
  }
  let worst = Number.NEGATIVE_INFINITY;
  eachWindow(words.sentences, count, (from, to, size) => {
    const sum = (sums[to] ?? 0) - (sums[from] ?? 0);
    const sign = Math.min(mostSign, (signs[to] ?? 0) - (signs[from] ?? 0));
    const score = weights.bias + sum / windowNorm(to - from) + sign;
    if (score > worst) worst = score;
    if (score >= atLeast)
      found.push({ start: words.starts[from] ?? 0, end: words.ends[to - 1] ?? 0, size, score });
  });
  return worst;
}

/** The most that all signs together add, in log-odds. */
const mostSign = 4;
/** A control token in a program's text is never meant for a reader; a user may ask what one is. */
const controlTokenSigns: Readonly<Record<InjectionChannel, number>> = { user: 1, data: 2 };
/** For each disguised word of the lexicon. */
const disguiseSign = 0.6;
/** For each word written in invisible characters. */
const unseenSign = 1;

function signOf(mask: number, channel: InjectionChannel): number {
  if (mask === 0) return 0;
  let sign = 0;
  if ((mask & classBits.controlToken) !== 0) sign += controlTokenSigns[channel];
  if ((mask & classBits.obfuscated) !== 0) sign += disguiseSign;
  if ((mask & classBits.unseen) !== 0) sign += unseenSign;
  return sign;
}
