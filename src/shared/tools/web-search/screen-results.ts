/**
 * Which results of a web search may a model read, and what may a client see of those that are cited? Each result is screened by itself, as
 * passages of files are: one that the tenant's policy blocks is dropped, and the others stay. A dropped result gets no number, so it can't
 * be cited.
 */
import type { WebSource } from "../../grounding/citable.ts";
import type { ChatMessage } from "../../prompt/chat-message.ts";
import { resolvePolicy, type SafetyPolicy } from "../../safety/safety-policy.ts";
import { screen } from "../../safety/screen.ts";
import { screenPrompt, type ScreenDeps, type ScreenedPrompt } from "../../safety/screen-prompt.ts";
import type { Passage } from "../server-tool.ts";

export interface ScreenedResult {
  /** As the model reads it, by the policy for prompts. */
  readonly read: Passage;
  /** The result as clients may see it, by the policy for answers. */
  readonly shown: WebSource;
}

export type ScreenResults = (results: readonly Passage[]) => Promise<readonly ScreenedResult[]>;

/** @param onScreened called with the findings of each result */
export function resultScreen(
  policy: SafetyPolicy,
  deps: ScreenDeps,
  onScreened: (screened: ScreenedPrompt<ChatMessage>) => void = () => undefined,
): ScreenResults {
  const output = resolvePolicy(policy.output);
  const hides = (text: string): boolean => ["mask", "block"].includes(screen(text, output).action);
  const screened = async (result: Passage): Promise<ScreenedResult | null> => {
    // Everything that the prompt shows of it: a page's title is its author's text, too.
    const content = [result.title, result.url, result.text].map((text) => ({ type: "text" as const, text }));
    const verdict = await screenPrompt([{ role: "tool", content }], policy, deps);
    onScreened(verdict);
    if (verdict.kind === "refused") return null;
    const [title = "", url = "", text = ""] = (verdict.messages[0]?.content ?? []).map((part) => part.text);
    // Half an address leads nowhere, and what has none can't be cited.
    if (url !== result.url || hides(url)) return null;
    const shownTitle = screen(title, output).text;
    return { read: { title, url, text }, shown: { url, title: shownTitle === "" ? url : shownTitle } };
  };
  return async (results) => (await Promise.all(results.map(screened))).filter((one) => one !== null);
}
