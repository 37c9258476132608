import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatMessage } from "./chat-message.ts";

/**
 * Which messages of a history still fit into the model's window? The instructions at the head and the latest turn
 * always stay; whole turns go, the oldest first. A turn is a user's message with all that follows it up to the next
 * one, so that a tool call is never parted from its result. Where the latest turn begins with several messages of the user (added
 * one by one, or each without an answer) and does not fit whole, the oldest of those go too, as far as they are history.
 *
 * Where it cuts is a function of the history's beginning, in steps of a quarter of the window: while a conversation
 * grows, the cut stays where it is until the window is full again, and so does the prompt's prefix, which the
 * engine's prefix cache then still has. Cutting no more than needed would move the cut, and spoil that cache, every turn.
 */
export interface WindowBudget {
  /** Tokens of prompt and answer together: the model record's `context_window`. */
  readonly windowTokens: number;
  /** Set aside for the answer. */
  readonly answerTokens: number;
  /** What the prompt costs before its first message: template, tool definitions, passages. */
  readonly fixedTokens: number;
}

export interface TrimmedWindow<M> {
  readonly messages: readonly M[];
  readonly promptTokens: number;
}

export type WindowRefusal = Extract<Refusal, { kind: "context-too-long" }>;

const stepsPerWindow = 4;

/** @param ownFrom the index of the first message that is no history: it was sent with the request, and is never left out */
export function trimToWindow<M extends ChatMessage>(
  messages: readonly M[],
  tokensOf: (message: M) => number,
  budget: WindowBudget,
  ownFrom = 0,
): Result<TrimmedWindow<M>, WindowRefusal> {
  const costs = messages.map(tokensOf);
  const total = costs.reduce((sum, tokens) => sum + tokens, budget.fixedTokens);
  const room = budget.windowTokens - budget.answerTokens;
  if (total <= room) return ok({ messages, promptTokens: Math.ceil(total) });

  const head = headLength(messages);
  const step = Math.max(1, budget.windowTokens / stepsPerWindow);
  let removed = 0;
  let passed = false;
  let cut = head;
  let nextStep = step;
  for (const start of turnStarts(messages, head)) {
    while (cut < start) {
      removed += costs[cut] ?? 0;
      cut += 1;
    }
    // A cut is allowed at the first turn behind each step only.
    if (removed < nextStep) continue;
    nextStep = (Math.floor(removed / step) + 1) * step;
    if (total - removed <= room) {
      passed = true;
      break;
    }
  }
  // No step fits: the loop ended at the latest turn, which must stand alone.
  while (total - removed > room && maySplit(messages, cut, ownFrom)) {
    removed += costs[cut] ?? 0;
    cut += 1;
  }
  if (!passed && total - removed > room)
    return err({
      kind: "context-too-long",
      windowTokens: budget.windowTokens,
      promptTokens: Math.ceil(total - removed),
      answerTokens: budget.answerTokens,
    });
  return ok({
    messages: [...messages.slice(0, head), ...messages.slice(cut)],
    promptTokens: Math.ceil(total - removed),
  });
}

/** What stays of a history that `trimToWindow` finds no room for at all. */
export function latestTurn<M extends ChatMessage>(messages: readonly M[], ownFrom = 0): readonly M[] {
  const head = headLength(messages);
  let cut = turnStarts(messages, head).at(-1) ?? head;
  while (maySplit(messages, cut, ownFrom)) cut += 1;
  return [...messages.slice(0, head), ...messages.slice(cut)];
}

/** Whether this message is history and the next one of the same user begins as good a turn. */
function maySplit(messages: readonly ChatMessage[], cut: number, ownFrom: number): boolean {
  return cut < ownFrom && messages[cut]?.role === "user" && messages[cut + 1]?.role === "user";
}

/** Instructions before the first other message. */
function headLength(messages: readonly ChatMessage[]): number {
  let length = 0;
  while (isInstruction(messages[length]?.role)) length += 1;
  return length;
}

function isInstruction(role: string | undefined): boolean {
  return role === "system" || role === "developer";
}

/** Where turns begin behind the head, ascending, without the first: dropping nothing is no cut. */
function turnStarts(messages: readonly ChatMessage[], head: number): number[] {
  const starts: number[] = [];
  for (let index = head + 1; index < messages.length; index += 1) {
    // Instructions in mid-conversation and consecutive user messages belong to one turn with what they lead to.
    const role = messages[index]?.role;
    const before = messages[index - 1]?.role;
    if (role === "user" && before !== "user" && !isInstruction(before)) starts.push(index);
    else if (isInstruction(role) && before !== "user" && !isInstruction(before)) starts.push(index);
  }
  return starts;
}
