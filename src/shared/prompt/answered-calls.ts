/**
 * Which tool calls may stay in a history? Those that were answered, each once. An answer that was cut off (its length, a cancel, the
 * budget) can end in half a call, which no engine can parse; and a complete call may never have been answered, which strict templates
 * refuse. Either would make every later request of the conversation fail.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { recalledArguments } from "../wire/chat-messages.ts";
import type { ChatMessage } from "./chat-message.ts";

export type OrphanedResult = Extract<Refusal, { kind: "value-invalid" }>;

interface Call {
  readonly id?: unknown;
  readonly function?: { readonly arguments?: unknown };
}

/**
 * The history without unanswered calls and without results of no call; the same array if there are none. A call
 * that was answered although its arguments can't be read keeps none.
 *
 * @param turn what was sent now, behind so many `instructions`. Its first messages may answer the calls that the history ends with;
 * the refusal: one of them answers nothing, and would be lost without a word
 */
export function pairCalls<M extends ChatMessage>(
  history: readonly M[],
  turn: readonly ChatMessage[],
  instructions: number,
): Result<readonly M[], OrphanedResult> {
  const first = turn.findIndex(({ role }) => role !== "tool");
  const results = first === -1 ? turn : turn.slice(0, first);
  if (results.length === 0 && !history.some(isOfCalls)) return ok(history);
  const kept: M[] = [];
  /** Ids of the calls before that are still to be answered. */
  let expected = new Set<unknown>();
  let answered: Answers = noAnswers;
  for (const [at, message] of history.entries()) {
    if (message.role === "tool") {
      if (expected.delete(message.tool_call_id)) kept.push(message);
      continue;
    }
    const calls = callsOf(message);
    // Calls may be thought about one by one, so that each has a message of its own, and be answered together.
    if (calls.length === 0 || callsOf(history[at - 1]).length === 0) expected = new Set();
    if (calls.length === 0) {
      kept.push(message);
      continue;
    }
    if (callsOf(history[at - 1]).length === 0) answered = answersBehind(history, at, results);
    const pairs = calls.flatMap((call) => {
      const id = idOf(call, answered);
      return id === undefined ? [] : [readable(id === call.id ? call : { ...call, id })];
    });
    for (const { id } of pairs) expected.add(id);
    const same = pairs.length === calls.length && pairs.every((call, index) => call === calls[index]);
    if (same) kept.push(message);
    else if (pairs.length > 0) kept.push({ ...message, tool_calls: pairs });
    else if (says(message)) kept.push(withoutCalls(message));
  }
  for (const [at, { tool_call_id: id }] of results.entries())
    if (!expected.delete(id)) return err(orphanedAt(instructions + at));
  return ok(kept.length === history.length && kept.every((one, at) => one === history[at]) ? history : kept);
}

function orphanedAt(index: number): OrphanedResult {
  const message =
    "A tool's result answers no call that the conversation ends with. Send it once, with the call's own id.";
  return { kind: "value-invalid", param: `messages[${index}].tool_call_id`, message };
}

function callsOf(message: ChatMessage | undefined): readonly Call[] {
  return (message?.tool_calls ?? []) as readonly Call[];
}

function isOfCalls(message: ChatMessage): boolean {
  return message.role === "tool" || callsOf(message).length > 0;
}

interface Answers {
  readonly ids: ReadonlySet<unknown>;
  /** Ids that no call has, in order: of calls that an engine gave none. A response has made some up for them. */
  readonly unclaimed: unknown[];
}

const noAnswers: Answers = { ids: new Set(), unclaimed: [] };

/** The results behind the call at `at` and the calls that follow it at once; at the history's end, those that were sent now. */
function answersBehind(
  history: readonly ChatMessage[],
  at: number,
  results: readonly ChatMessage[],
): Answers {
  const ids = new Set<unknown>();
  const called = new Set<unknown>();
  let next = at;
  for (; callsOf(history[next]).length > 0; next += 1)
    for (const { id } of callsOf(history[next])) called.add(id);
  for (; history[next]?.role === "tool"; next += 1) ids.add(history[next]?.tool_call_id);
  if (next >= history.length) for (const result of results) ids.add(result.tool_call_id);
  return { ids, unclaimed: [...ids].filter((id) => !called.has(id)) };
}

/** By which id it was answered; `undefined`: it was not. */
function idOf({ id }: Call, { ids, unclaimed }: Answers): unknown {
  if (id === "") return unclaimed.shift();
  return ids.has(id) ? id : undefined;
}

function readable(call: Call): Call {
  const text = call.function?.arguments;
  const recalled = typeof text === "string" ? recalledArguments(text) : text;
  return recalled === text ? call : { ...call, function: { ...call.function, arguments: recalled } };
}

function says({ content }: ChatMessage): boolean {
  return content !== null && content !== undefined && content.length > 0;
}

function withoutCalls<M extends ChatMessage>(message: M): M {
  const { tool_calls: _none, ...rest } = message;
  return rest as unknown as M;
}
