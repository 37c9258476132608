/**
 * Do a call's arguments contain a mask in place of what the model wrote? The tenant's policy for answers also applies to arguments of
 * calls. A tool that gets `[e-mail address]` in place of an address would find nothing, or store the mask.
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
