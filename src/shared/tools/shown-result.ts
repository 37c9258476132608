/**
 * What may a client see of what a tool answered? It stands in the answer's items, and so under the tenant's policy for answers: what that
 * masks in the model's own words is not to be read right beside them. The model reads it as the policy for prompts lets it.
 */
import { isJson } from "../safety/message-texts.ts";
import { resolvePolicy, type SafetyPolicy } from "../safety/safety-policy.ts";
import { screen } from "../safety/screen.ts";

/** Of what would be blocked, what stands before. The same text where nothing is kept back. */
export function shownResult(text: string, { output }: Pick<SafetyPolicy, "output">): string {
  const policy = resolvePolicy(output);
  return policy.withholds ? screen(text, policy, isJson(text)).text : text;
}
