/** Fits weights to labelled texts, and scores each text by a model that never saw it or its template. */
import { subcategories } from "../../src/shared/safety/moderation/subcategories.ts";
import { heads, type Head, type LabelledText } from "./rows.ts";
import {
  foldOf,
  type Options,
  prepare,
  type Prepared,
  scoreOf,
  type TrainedHead,
  trainHead,
  vocabulary,
  type Vocabulary,
} from "./training.ts";

export const options: Options = {
  seed: 7,
  epochs: 20,
  rate: 0.15,
  l2: 0.006,
  leastTexts: 3,
  norm: 0.5,
  balance: 4,
};
/** The number of features kept, those with the largest weights. */
const mostFeatures = 4096;
const folds = 5;
/** Our own sentences weigh more, since there are few of them. */
const ownWeight = 3;

export interface Fitted {
  readonly known: Vocabulary;
  readonly heads: ReadonlyMap<Head, TrainedHead>;
}

/** Fits twice: with every feature, then with the most important ones. */
export function fit(texts: readonly Prepared[]): Fitted {
  const weighted = texts.flatMap((text) =>
    text.source === "own" ? Array.from({ length: ownWeight }, () => text) : [text],
  );
  const all = vocabulary(weighted, options.leastTexts);
  const first = heads.map((head) => trainHead(weighted, head, all, options));
  const largest = [...all]
    .map(([feature, place]) => ({
      feature,
      weight: Math.max(...first.map((head) => Math.abs(head.weights[place] ?? 0))),
    }))
    .toSorted((a, b) => b.weight - a.weight || a.feature - b.feature)
    .slice(0, mostFeatures);
  const known: Vocabulary = new Map(largest.map(({ feature }, place) => [feature, place]));
  return { known, heads: new Map(heads.map((head) => [head, trainHead(weighted, head, known, options)])) };
}

/** A text with the log-odds of each head, from a model trained without it. */
export interface Judged extends LabelledText {
  readonly logits: Readonly<Record<Head, number>>;
  /** For each subcategory (subcategories.ts), the log-odds of its category in the windows where its rule applies. */
  readonly parts: ReadonlyMap<Head, number>;
}

function logit(score: number): number {
  const safe = Math.min(1 - 1e-9, Math.max(1e-9, score));
  return Math.log(safe / (1 - safe));
}

/** @param by `template`: no template's copy judges another; `row`: as rows come, which is what another part of the same set looks like */
export function outOfFold(texts: readonly LabelledText[], by: "template" | "row"): Judged[] {
  const prepared = prepare(texts);
  const fold = prepared.map((text, at) => (by === "row" ? at % folds : foldOf(text.group, folds)));
  const judged: Judged[] = [];
  for (let one = 0; one < folds; one += 1) {
    const fitted = fit(prepared.filter((_, at) => fold[at] !== one));
    for (const [at, text] of prepared.entries())
      if (fold[at] === one)
        judged.push({ ...text, logits: logitsOf(fitted, text), parts: partsOf(fitted, text) });
  }
  return judged;
}

function logitsOf({ known, heads: trained }: Fitted, text: Prepared): Record<Head, number> {
  const score = (head: Head): number => {
    const one = trained.get(head);
    if (one === undefined) throw new Error(`no head for ${head}`);
    return logit(scoreOf(one, known, text.windows, options.norm));
  };
  return Object.fromEntries(heads.map((head) => [head, score(head)])) as Record<Head, number>;
}

function partsOf({ known, heads: trained }: Fitted, text: Prepared): ReadonlyMap<Head, number> {
  return new Map(
    subcategories.map(({ category, of }) => {
      const head = trained.get(of);
      if (head === undefined) throw new Error(`no head for ${of}`);
      const windows = text.windows.filter((_, at) => text.holds.get(category)?.[at] === true);
      const score = windows.length === 0 ? 0 : scoreOf(head, known, windows, options.norm);
      return [category, logit(score)] as const;
    }),
  );
}

/** How far a text is above its threshold in a category; flagged from 0 on. */
export function marginOf(text: Judged, head: Head, thresholds: Readonly<Record<Head, number>>): number {
  const own = text.logits[head] - thresholds[head];
  const part = subcategories.find(({ category }) => category === head);
  if (part === undefined) return own;
  return Math.max(own, (text.parts.get(head) ?? Number.NEGATIVE_INFINITY) - thresholds[part.of]);
}

/** The least precision of a category; lower with few labelled texts, since most of their false positives are harmful in another category. */
const leastPrecision = 0.8;
const leastPrecisionOfFew = 0.55;
const few = 100;
/** The largest share of benign questions to chat models that may be flagged in one category. */
const mostBenign = 0.002;

/** Where each head flags: the best F1 among thresholds that let benign prompts pass. In log-odds. */
export function chooseThresholds(judged: readonly Judged[]): Record<Head, number> {
  return Object.fromEntries(heads.map((head) => [head, thresholdOf(judged, head)])) as Record<Head, number>;
}

function thresholdOf(judged: readonly Judged[], head: Head): number {
  const rows = judged
    .flatMap((text) => {
      const label = text.known[head];
      return label === undefined
        ? []
        : [{ label, logit: text.logits[head], benign: text.source.startsWith("benign/") }];
    })
    .toSorted((a, b) => b.logit - a.logit);
  const positives = rows.filter((row) => row.label).length;
  const benign = rows.filter((row) => row.benign).length;
  const least = positives < few ? leastPrecisionOfFew : leastPrecision;
  let right = 0;
  let wrongBenign = 0;
  let best = { value: -1, logit: rows[0]?.logit ?? 0 };
  for (const [at, row] of rows.entries()) {
    if (row.label) right += 1;
    if (row.benign) wrongBenign += 1;
    if (wrongBenign > benign * mostBenign) break;
    const precision = right / (at + 1);
    const value = (2 * right) / (at + 1 + positives);
    const below = rows[at + 1]?.logit ?? row.logit;
    if (precision >= least && value > best.value) best = { value, logit: (row.logit + below) / 2 };
  }
  return best.logit;
}
