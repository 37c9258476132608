/**
 * Is there harm in this prompt, and may it be answered? The classifier judges first, in process, text by text; then the guard model, if the
 * tenant names one and the classifier has not refused. Under the policy `flag` the prompt does not wait for the model, whose verdict changes
 * nothing.
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
  /** The whole text of every message that the model will read. */
  readonly texts: readonly string[];
  /** The conversation in order, for a guard model. */
  readonly said: readonly JudgedMessage[];
}

export interface PromptVerdict {
  readonly categories: readonly Category[];
  /** The budget ran out, or no verdict came: there may be more harm than was found. */
  readonly slow: boolean;
  /** The guard model answered the prompt instead of judging it. */
  readonly isUnreadable?: true;
  /** The guard model was not asked, and the prompt must not be answered. */
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
  // The last messages first: they are new, and earlier ones were judged when they were new.
  for (const text of prompt.texts.toReversed()) {
    const room = moderationBudgetCharacters - characters;
    characters += text.length;
    slow = text.length > room;
    // If a text does not fit, its end is judged.
    const judged = slow ? text.slice(text.length - room) : text;
    for (const category of flaggedBy(classify(judged), policy)) found.add(category);
    if (slow || (found.size > 0 && policy.input === "block")) break;
  }
  const inProcess: PromptVerdict = { categories: found.size === 0 ? noCategories : [...found], slow };
  if (moderator === undefined || (found.size > 0 && policy.input === "block")) return inProcess;
  const shown = judgementsOf(asked(prompt.said));
  // Nobody has spoken: only tool results or instructions, or a conversation created empty.
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
 * A guard judges only the last message, and takes an assistant's for an answer. But an assistant message after the user's last one was not
 * given as an answer: the client sent it. It is judged as a part of the user's message; otherwise one more word would let the question pass.
 */
function asked(said: readonly JudgedMessage[]): readonly JudgedMessage[] {
  const last = said.findLastIndex(({ role }) => role === "user");
  if (last === -1 || last === said.length - 1) return said;
  return said.map((message, at) => (at > last ? { ...message, role: "user" } : message));
}

/** Parts overlap, so that every sentence is whole in one of them. */
const overlapCharacters = 500;

/**
 * The judgements to ask a guard for: the last message, with those before as context. If it is longer than a guard sees at once, also each
 * earlier part by itself; otherwise a question would pass if enough text followed it. Covers as much as the classifier reads.
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
    // Overlaps the beginning of the part after it.
    const until = Math.min(whole.length, end + overlapCharacters);
    const start = Math.max(0, until - mostJudgedCharacters);
    judgements.push([{ role: last.role, content: whole.slice(start, until) }]);
    end = start;
  }
  return judgements;
}

/** A text shorter than this fits every guard's window, so the fault must be another. */
const leastCharacters = 1_500;

/**
 * For a text with more tokens than expected (a script with a token for each character, signs): first its last message alone, then that one
 * in two halves. `null`: the text is so short that it fits wherever any does.
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
 * The part of a conversation that a guard model sees: Llama Guard's template accepts only alternating user and assistant messages, the user
 * first. Empty: there is nothing to judge, and no model is asked.
 */
export function recent(said: readonly JudgedMessage[]): JudgedMessage[] {
  const shown: JudgedMessage[] = [];
  let room = mostJudgedCharacters;
  for (const { role, content } of said.toReversed()) {
    if (shown.length >= mostMessages || room <= 0) break;
    // Only a picture, or a call without arguments.
    if (content.trim() === "") continue;
    // The end of a long text, where the question is.
    const text = content.slice(-room);
    room -= text.length;
    const next = shown[0];
    if (next?.role === role) shown[0] = { role, content: `${text}\n${next.content}` };
    else shown.unshift({ role, content: text });
  }
  return shown[0]?.role === "assistant" ? shown.slice(1) : shown;
}
