/**
 * May passages of files go to the model, and in which form? The tenant's policy for prompts applies, as it does to a tool's result:
 * what the policy masks is masked, and a passage that it blocks is left out, since the question is not to blame for what a file says. And
 * how much of a passage may a client read (`citations`, results of a search)? What the policy for answers leaves of it.
 */
import type { FoundPassage } from "../retrieval/passage.ts";
import { resolvePolicy, type SafetyPolicy } from "../safety/safety-policy.ts";
import { screen } from "../safety/screen.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { InjectionFinding } from "../safety/injection/screen-injection.ts";
import { screenPrompt, type ScreenDeps, type ScreenedPrompt } from "../safety/screen-prompt.ts";
import type { GroundedPassage } from "./ground.ts";

export type ScreenPassages = (passages: readonly FoundPassage[]) => Promise<readonly GroundedPassage[]>;

/** @param onScreened called with the findings of each passage */
export function passageScreen(
  policy: SafetyPolicy,
  deps: ScreenDeps,
  onScreened: (screened: ScreenedPrompt<ChatMessage>) => void = () => undefined,
): ScreenPassages {
  const screened = async (passages: readonly FoundPassage[]): Promise<readonly FoundPassage[] | null> => {
    // Everything that the prompt shows of them (prompt/passages.ts): a file's name is its author's text, too.
    const said = passages.map(({ text, filename, headings = [] }) => ({
      role: "tool",
      content: [text, filename, ...headings].map((one) => ({ type: "text" as const, text: one })),
    }));
    const attacks: InjectionFinding[] = [];
    const verdict = await screenPrompt(said, policy, {
      ...deps,
      onInjection: (finding) => void attacks.push(finding),
    });
    // Where it is not known yet which of them it was, they are looked at again: each counts once.
    if (verdict.kind === "passed" || passages.length === 1) {
      onScreened(verdict);
      for (const attack of attacks) deps.onInjection?.(attack);
    }
    if (verdict.kind === "refused") return null;
    if (verdict.messages === said) return passages;
    return passages.map((passage, at) => {
      const [text = "", filename = "", ...headings] = (verdict.messages[at]?.content ?? []).map(
        (part) => part.text,
      );
      return { ...passage, text, filename, ...(passage.headings === undefined ? {} : { headings }) };
    });
  };
  const output = resolvePolicy(policy.output);
  const shown = (passages: readonly FoundPassage[]): readonly GroundedPassage[] => {
    if (!output.withholds) return passages;
    return passages.map((passage) => {
      const { text } = screen(passage.text, output);
      const { text: name } = screen(passage.filename, output);
      if (text === passage.text && name === passage.filename) return passage;
      return {
        ...passage,
        ...(text === passage.text ? {} : { shown: text }),
        // A name of which nothing is left counts as missing.
        ...(name === passage.filename ? {} : { shownName: name === "" ? passage.fileId : name }),
      };
    });
  };
  return async (passages) => {
    const all = await screened(passages);
    if (all !== null || passages.length <= 1) return shown(all ?? []);
    // Which of them it was: each by itself.
    const each = await Promise.all(passages.map((passage) => screened([passage])));
    return shown(each.flatMap((one) => one ?? []));
  };
}
