/**
 * May what was found in files go to the model, and in which form? By the tenant's policy for what goes to models, as a tool's result
 * would: masked where it masks, and a passage that it blocks is left out, since the question is not to blame for what a file says.
 */
import type { FoundPassage } from "../retrieval/passage.ts";
import type { SafetyPolicy } from "../safety/safety-policy.ts";
import { screenPrompt, type ScreenDeps } from "../safety/screen-prompt.ts";

export type ScreenPassages = (passages: readonly FoundPassage[]) => Promise<readonly FoundPassage[]>;

export function passageScreen(policy: SafetyPolicy, deps: ScreenDeps): ScreenPassages {
  const screened = async (passages: readonly FoundPassage[]): Promise<readonly FoundPassage[] | null> => {
    const said = passages.map(({ text, headings = [] }) => ({
      role: "tool",
      content: [text, ...headings].map((one) => ({ type: "text" as const, text: one })),
    }));
    const verdict = await screenPrompt(said, policy, deps);
    if (verdict.kind === "refused") return null;
    if (verdict.messages === said) return passages;
    return passages.map((passage, at) => {
      const [text = "", ...headings] = (verdict.messages[at]?.content ?? []).map((part) => part.text);
      return { ...passage, text, ...(passage.headings === undefined ? {} : { headings }) };
    });
  };
  return async (passages) => {
    const all = await screened(passages);
    if (all !== null) return all;
    // Which of them it was: each by itself.
    const each = await Promise.all(passages.map((passage) => screened([passage])));
    return each.flatMap((one) => one ?? []);
  };
}
