import * as z from "zod";

/**
 * What to do about attacks on a model's instructions: in what a user says (`user`), and in what programs supply, such as tool results,
 * passages and files (`data`). By default nothing, which also costs nothing. docs/configuration.md documents each field.
 */
export const injectionPolicySchema = z.lazy(() =>
  z.strictObject({
    user: z.enum(["off", "flag", "block"]).default("off"),
    data: z.enum(["off", "flag", "strip", "block"]).default("off"),
    /** How sure the screen must be. 0.5 lets through all but 1 of 200 harmless prompts (docs/decisions/0064-injection-screen.md). */
    threshold: z.number().gt(0).lt(1).default(0.5),
    /** For a prompt with more text than can be judged in 50 ms. */
    when_slow: z.enum(["open", "closed"]).default("closed"),
    /** Frames tool results by marks that tell the model that they are data (spotlight.ts). */
    spotlight: z.boolean().default(false),
    /** Does the same, and puts a sign after each of their words and each word of passages (datamark.ts). */
    datamark: z.boolean().default(false),
  }),
);
export type InjectionPolicy = z.infer<typeof injectionPolicySchema>;

/** Who wrote a text: `user`, who may ask for anything except breaking the rules, or `data`, which the model should never obey. */
export type InjectionChannel = "user" | "data";

export function looksForInjection({ user, data }: InjectionPolicy): boolean {
  return user !== "off" || data !== "off";
}

/** Bump with every change of what is found or taken out, weights included. It is part of the answer cache's key. */
export const injectionRulesVersion = "3";

/** Takes about 50 ms: `node dev/eval-injection.ts` measures the speed. */
export const injectionBudgetCharacters = 500_000;
