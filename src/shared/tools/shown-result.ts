/**
 * What may a client see of what a tool answered? The result is one of the answer's items, so the tenant's policy for answers applies: what
 * is masked in the model's own words must not be readable right beside them. The model reads the result under the policy for prompts.
 */
import { isJson } from "../safety/message-texts.ts";
import { resolvePolicy, type SafetyPolicy } from "../safety/safety-policy.ts";
import { screen } from "../safety/screen.ts";

/** Of what would be blocked, what stands before. The same text where nothing is kept back. */
export function shownResult(text: string, { output }: Pick<SafetyPolicy, "output">): string {
  const policy = resolvePolicy(output);
  return policy.withholds ? screen(text, policy, isJson(text)).text : text;
}
