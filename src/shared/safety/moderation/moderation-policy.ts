import * as z from "zod";
import { categories, type Category, type Scores } from "./categories.ts";

/**
 * What to do about harm (OpenAI's categories) in prompts and answers. Absent: no moderation, at no cost. docs/configuration.md documents
 * each field.
 */
const moderationActions = ["off", "flag", "block"] as const;

const actionSchema = z.enum(moderationActions);
/** Scores stay below 1, so that 1 means never. */
const thresholdSchema = z.lazy(() => z.number().min(0.01).max(1));

export const moderationPolicySchema = z.lazy(() =>
  z.strictObject({
    /** `flag` logs findings; `block` refuses the prompt. */
    input: actionSchema.default("off"),
    /** `flag` logs findings; `block` ends the answer there. */
    output: actionSchema.default("off"),
    /** The score from which a category counts, unless `thresholds` names it. */
    threshold: thresholdSchema.default(0.5),
    thresholds: z.partialRecord(z.enum(categories), thresholdSchema).default({}),
    /** An alias of the fleet that answers in Llama Guard's form. `null`: only the classifier in process. */
    model: z.string().min(1).max(128).nullable().default(null),
    /** How long a prompt waits for the model's verdict. */
    model_budget_ms: z.int().min(50).max(10_000).default(2000),
    /** Without a verdict in time: let the prompt through and log it, or refuse. */
    when_slow: z.enum(["open", "closed"]).default("closed"),
  }),
);
export type ModerationPolicy = z.infer<typeof moderationPolicySchema>;

/** Bump with every change of what the classifier finds. It is part of the answer cache's key. */
export const moderationVersion = "2";

export const noCategories: readonly Category[] = [];

/** The categories whose scores reach the policy's thresholds. */
export function flaggedBy(
  scores: Scores,
  policy: Pick<ModerationPolicy, "threshold" | "thresholds">,
): readonly Category[] {
  const flagged = categories.filter(
    (category, at) => (scores[at] ?? 0) >= (policy.thresholds[category] ?? policy.threshold),
  );
  return flagged.length === 0 ? noCategories : flagged;
}
