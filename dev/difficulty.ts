/**
 * What would the strategy `cost` save, and how often would it choose the wrong model? On the labelled prompts of
 * test/data/difficulty.jsonl: `node dev/difficulty.ts [threshold]`. docs/difficulty.md says how to read it.
 */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { estimateTokens } from "../src/shared/prompt/token-estimate.ts";
import { difficulty } from "../src/shared/routing/models/difficulty.ts";

const labelledSchema = z.strictObject({
  label: z.enum(["easy", "hard"]),
  /** The estimated length of its answer. */
  answer_tokens: z.int().min(1),
  prompt: z.string().min(1),
});
export type LabelledPrompt = z.infer<typeof labelledSchema>;

/** US dollars per million tokens: those of the dev fleet's two chat models. */
const cheap = { input: 0.05, output: 0.1 };
const strong = { input: 0.15, output: 0.6 };

export interface RoutingReport {
  readonly prompts: number;
  /** The share of the strong model's cost, if traffic had this set's mix. */
  readonly costSaved: number;
  /** The same if four of five requests are easy, as in chat traffic. */
  readonly costSavedMostlyEasy: number;
  /** The same if every prompt were routed by its label. Savings beyond this come from hard prompts. */
  readonly mostToSave: number;
  readonly wrongRate: number;
  /** Hard prompts sent to the cheap model, which users notice. */
  readonly hardToCheap: number;
  /** Easy prompts sent to the strong model, which cost money. */
  readonly easyToStrong: number;
}

export function labelledPrompts(): readonly LabelledPrompt[] {
  const text = readFileSync(new URL("../test/data/difficulty.jsonl", import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => labelledSchema.parse(JSON.parse(line)));
}

/** The lines that the weights were not fitted on. */
export function heldOut(prompts: readonly LabelledPrompt[]): readonly LabelledPrompt[] {
  return prompts.filter((_, at) => at % 2 === 1);
}

/** Sums over one label's prompts. */
interface Tally {
  prompts: number;
  wrong: number;
  ours: number;
  byLabel: number;
  strongAlone: number;
}

export function report(prompts: readonly LabelledPrompt[], threshold: number): RoutingReport {
  const blank = (): Tally => ({ prompts: 0, wrong: 0, ours: 0, byLabel: 0, strongAlone: 0 });
  const tallies = { easy: blank(), hard: blank() };
  for (const { label, answer_tokens, prompt } of prompts) {
    const cost = (price: typeof cheap): number =>
      estimateTokens(prompt) * price.input + answer_tokens * price.output;
    const isStrong = difficulty({ text: prompt, earlierMessages: 0, hasMedia: false }) >= threshold;
    const tally = tallies[label];
    tally.prompts += 1;
    if (isStrong !== (label === "hard")) tally.wrong += 1;
    tally.ours += cost(isStrong ? strong : cheap);
    tally.byLabel += cost(label === "hard" ? strong : cheap);
    tally.strongAlone += cost(strong);
  }
  const { easy, hard } = tallies;
  /** @param easyWeight the weight of an easy prompt relative to a hard one */
  const saved = (of: "ours" | "byLabel", easyWeight: number): number =>
    1 - (easy[of] * easyWeight + hard[of]) / (easy.strongAlone * easyWeight + hard.strongAlone);
  return {
    prompts: prompts.length,
    costSaved: saved("ours", 1),
    costSavedMostlyEasy: saved("ours", (4 * hard.prompts) / easy.prompts),
    mostToSave: saved("byLabel", 1),
    wrongRate: (easy.wrong + hard.wrong) / prompts.length,
    hardToCheap: hard.wrong,
    easyToStrong: easy.wrong,
  };
}

export function written(name: string, { prompts, ...figures }: RoutingReport): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return `${name}: ${prompts} prompts, cost saved ${percent(figures.costSaved)} (by the labels ${percent(figures.mostToSave)}; with four of five easy ${percent(figures.costSavedMostlyEasy)}), wrong route ${percent(figures.wrongRate)} (hard to cheap ${figures.hardToCheap}, easy to strong ${figures.easyToStrong})`;
}

if (import.meta.main) {
  const all = labelledPrompts();
  const only = process.argv[2];
  for (const threshold of only === undefined ? [0.3, 0.5, 0.7] : [Number(only)]) {
    console.log(`threshold ${threshold}`);
    console.log(`  ${written("held out", report(heldOut(all), threshold))}`);
    console.log(`  ${written("all", report(all, threshold))}`);
  }
}
