/**
 * Is there harm in this prompt, and may it be answered? In process first, text by text; then the model, where the tenant names one and the
 * classifier has not refused it already. Under the policy `flag` the prompt does not wait for the model, since its verdict changes nothing.
 *
 * The classifier costs about a third of a microsecond a character, and production clocks stand still while it runs: its budget of 50 ms is
 * a number of characters. The model's budget is the policy's (`model_budget_ms`).
 */
import type { Category } from "./categories.ts";
import { classify } from "./classify.ts";
import { flaggedBy, type ModerationPolicy, noCategories } from "./moderation-policy.ts";
import {
  type BeforeJudged,
  type JudgedMessage,
  type Judgement,
  type Moderator,
  mostJudgedCharacters,
} from "./moderator.ts";

/** More than a window of 32,000 tokens holds. */
export const moderationBudgetCharacters = 150_000;

export interface PromptToJudge {
  /** Every message that the model will read, whole. */
  readonly texts: readonly string[];
  /** What was said, in its order, for a model that judges conversations. */
  readonly said: readonly JudgedMessage[];
}

export interface PromptVerdict {
  readonly categories: readonly Category[];
  /** The budget ran out, or no verdict came: what was found is not all that may be there. */
  readonly slow: boolean;
  /** The model answered the prompt in place of judging it. */
  readonly isUnreadable?: true;
  /** The model was not asked, nor may the prompt go on. */
  readonly refused?: BeforeJudged;
}

export function moderatePrompt(
  prompt: PromptToJudge,
  policy: ModerationPolicy,
  moderator: Moderator | undefined,
): PromptVerdict | Promise<PromptVerdict> {
  const found = new Set<Category>();
  let characters = 0;
  let slow = false;
  // The last words first: they are new, and those before were judged when they were.
  for (const text of prompt.texts.toReversed()) {
    const room = moderationBudgetCharacters - characters;
    characters += text.length;
    slow = text.length > room;
    // Of what does not fit, its end.
    const judged = slow ? text.slice(text.length - room) : text;
    for (const category of flaggedBy(classify(judged), policy)) found.add(category);
    if (slow || (found.size > 0 && policy.input === "block")) break;
  }
  const inProcess: PromptVerdict = { categories: found.size === 0 ? noCategories : [...found], slow };
  if (moderator === undefined || (found.size > 0 && policy.input === "block")) return inProcess;
  const shown = judgementsOf(asked(prompt.said));
  // Nobody has spoken: results of tools alone, instructions, a conversation that is begun empty.
  if (shown.length === 0) return inProcess;
  if (policy.input === "flag") {
    moderator.note(shown, inProcess.categories);
    return inProcess;
  }
  return (async () => {
    const verdict = await moderator.judge(shown, policy.model_budget_ms);
    if (verdict === null) return { ...inProcess, slow: true };
    if ("refused" in verdict) return { ...inProcess, refused: verdict.refused };
    if ("isUnreadable" in verdict) return { ...inProcess, isUnreadable: true };
    for (const category of flaggedBy(verdict.scores, policy)) found.add(category);
    return { categories: [...found], slow: slow || verdict.isPartial === true };
  })();
}

/**
 * A guard judges the last message alone: as an answer, where an assistant says it. What stands behind the user's last words is no answer that
 * anybody gave, but was sent with them: it is judged as a part of them, or one more word would have the question pass unjudged.
 */
function asked(said: readonly JudgedMessage[]): readonly JudgedMessage[] {
  const last = said.findLastIndex(({ role }) => role === "user");
  if (last === -1 || last === said.length - 1) return said;
  return said.map((message, at) => (at > last ? { ...message, role: "user" } : message));
}

/** A sentence that is cut in two is whole in one of them. */
const overlapCharacters = 500;

/**
 * What a guard is asked: about the last words, in the light of those before; and of words that are more than it is shown at a time, about each part
 * before by itself, or the question would pass in front of enough of anything. As much of them as the classifier reads.
 */
export function judgementsOf(said: readonly JudgedMessage[]): readonly Judgement[] {
  const shown = recent(said);
  const last = shown.at(-1);
  if (last === undefined) return [];
  const from = said.findLastIndex(({ role, content }) => role !== last.role && content.trim() !== "") + 1;
  const words = said.slice(from).filter(({ content }) => content.trim() !== "");
  const whole = words
    .map(({ content }) => content)
    .join("\n")
    .slice(-moderationBudgetCharacters);
  const judgements: Judgement[] = [shown];
  let end = whole.length - last.content.length;
  while (end > 0) {
    // With the beginning of what was judged behind it.
    const until = Math.min(whole.length, end + overlapCharacters);
    const start = Math.max(0, until - mostJudgedCharacters);
    judgements.push([{ role: last.role, content: whole.slice(start, until) }]);
    end = start;
  }
  return judgements;
}

/** Less than this is too much for no guard's window: there is another fault. */
const leastCharacters = 1_500;

/**
 * Of what has more tokens than its characters let expect (a script of a token a character, signs): first its last words alone, then these in
 * two. `null`: so short a text fits wherever any does.
 */
export function halved(judgement: Judgement): readonly Judgement[] | null {
  const last = judgement.at(-1);
  if (last === undefined) return null;
  if (judgement.length > 1) return [[last]];
  const { role, content } = last;
  if (content.length < leastCharacters) return null;
  const middle = content.length >> 1;
  const parts = [
    content.slice(middle - overlapCharacters / 2),
    content.slice(0, middle + overlapCharacters / 2),
  ];
  return parts.map((part) => [{ role, content: part }]);
}

const mostMessages = 8;

/**
 * What a guard model is shown of what was said: Llama Guard's template takes nothing but user and assistant in turn, the user first. Empty:
 * there is nothing to judge, and nobody is asked.
 */
export function recent(said: readonly JudgedMessage[]): JudgedMessage[] {
  const shown: JudgedMessage[] = [];
  let room = mostJudgedCharacters;
  for (const { role, content } of said.toReversed()) {
    if (shown.length >= mostMessages || room <= 0) break;
    // A picture alone, a call without arguments.
    if (content.trim() === "") continue;
    // Of a long text its end: there the question is.
    const text = content.slice(-room);
    room -= text.length;
    const next = shown[0];
    if (next?.role === role) shown[0] = { role, content: `${text}\n${next.content}` };
    else shown.unshift({ role, content: text });
  }
  return shown[0]?.role === "assistant" ? shown.slice(1) : shown;
}
