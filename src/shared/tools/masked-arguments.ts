/**
 * Do a call's arguments hold a mask in place of what the model said? What a model says passes the tenant's policy for answers, arguments of
 * calls as well. A tool that then gets `[e-mail address]` for an address finds nothing, or writes it down.
 */
import { masks } from "../safety/masks.ts";
import { resolvePolicy, type SafetyPolicy } from "../safety/safety-policy.ts";
import { spanKinds } from "../safety/span.ts";

export function holdsMask(argumentsText: string, { output }: Pick<SafetyPolicy, "output">): boolean {
  const { actions, withholds } = resolvePolicy(output);
  return (
    withholds && spanKinds.some((kind) => actions[kind] === "mask" && argumentsText.includes(masks[kind]))
  );
}
