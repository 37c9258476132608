import * as z from "zod";

/**
 * What a tenant wants done with attacks on a model's instructions: in what a user says (`user`), and in what programs supply, such as
 * results of tools, passages and files (`data`). By default nothing, which also costs nothing. docs/configuration.md documents it field by
 * field.
 */
export const injectionPolicySchema = z.lazy(() =>
  z.strictObject({
    user: z.enum(["off", "flag", "block"]).default("off"),
    data: z.enum(["off", "flag", "strip", "block"]).default("off"),
    /** How sure the screen must be. 0.5 lets through all but 1 of 200 harmless prompts (docs/decisions/0064-injection-screen.md). */
    threshold: z.number().gt(0).lt(1).default(0.5),
    /** A prompt of more text than is judged in 50 ms. */
    when_slow: z.enum(["open", "closed"]).default("closed"),
    /** Results of tools reach the model between marks that say that they are data (spotlight.ts). */
    spotlight: z.boolean().default(false),
    /** They do, and a sign stands behind each of their words, and of those of passages of files (datamark.ts). */
    datamark: z.boolean().default(false),
  }),
);
export type InjectionPolicy = z.infer<typeof injectionPolicySchema>;

/** Who wrote a text: `user`, who may ask for anything but to break the rules, or nobody whom the model should obey. */
export type InjectionChannel = "user" | "data";

export function looksForInjection({ user, data }: InjectionPolicy): boolean {
  return user !== "off" || data !== "off";
}

/** Bump with every change of what is found or taken out, weights among them: part of the answer cache's key. */
export const injectionRulesVersion = "3";

/** About 50 ms: `node dev/eval-injection.ts` measures the pace. */
export const injectionBudgetCharacters = 500_000;
