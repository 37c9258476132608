/**
 * Which calls of tools may stand in a history that goes on? Those that were answered, each once. An answer that was cut off (its
 * length, a cancel, the budget) can end in half a call, which no engine can read; and nobody need ever have answered a whole one,
 * which strict templates refuse. Kept as they are, either would make every later request of the conversation fail.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { isJsonObject } from "../wire/json-bounds.ts";
import type { ChatMessage } from "./chat-message.ts";

export type OrphanedResult = Extract<Refusal, { kind: "value-invalid" }>;

interface Call {
  readonly id?: unknown;
  readonly function?: { readonly arguments?: unknown };
}

/**
 * The history without calls that nobody answered and results that answer nothing; the same array where there are none. A call
 * that was answered although its arguments can't be read keeps none.
 *
 * @param turn what was sent now, behind instructions. Its first messages may answer the calls that the history ends with;
 * the refusal: one of them answers nothing, and would be lost without a word
 */
export function pairCalls<M extends ChatMessage>(
  history: readonly M[],
  turn: readonly ChatMessage[],
): Result<readonly M[], OrphanedResult> {
  const first = turn.findIndex(({ role }) => role !== "tool");
  const results = first === -1 ? turn : turn.slice(0, first);
  if (results.length === 0 && !history.some(isOfCalls)) return ok(history);
  const kept: M[] = [];
  /** Ids of the calls before that are still to be answered. */
  let expected = new Set<unknown>();
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
    const answered = answersBehind(history, at, results);
    const pairs = calls.filter(({ id }) => answered.has(id));
    for (const { id } of pairs) expected.add(id);
    const same = pairs.length === calls.length && pairs.every(isReadable);
    if (same) kept.push(message);
    else if (pairs.length > 0) kept.push({ ...message, tool_calls: pairs.map(readable) });
    else if (says(message)) kept.push(withoutCalls(message));
  }
  for (const { tool_call_id: id } of results) if (!expected.delete(id)) return err(orphaned);
  return ok(kept.length === history.length && kept.every((one, at) => one === history[at]) ? history : kept);
}

const orphaned: OrphanedResult = {
  kind: "value-invalid",
  param: "messages",
  message:
    "A tool's result answers no call that the conversation ends with. Send it once, with the call's own id.",
};

function callsOf(message: ChatMessage | undefined): readonly Call[] {
  return (message?.tool_calls ?? []) as readonly Call[];
}

function isOfCalls(message: ChatMessage): boolean {
  return message.role === "tool" || callsOf(message).length > 0;
}

/** Ids of the results behind the message at `at` and the calls that follow it at once; at the history's end, those that were sent now. */
function answersBehind(
  history: readonly ChatMessage[],
  at: number,
  results: readonly ChatMessage[],
): ReadonlySet<unknown> {
  const ids = new Set<unknown>();
  let next = at + 1;
  while (callsOf(history[next]).length > 0) next += 1;
  for (; history[next]?.role === "tool"; next += 1) ids.add(history[next]?.tool_call_id);
  if (next >= history.length) for (const result of results) ids.add(result.tool_call_id);
  return ids;
}

function isReadable(call: Call): boolean {
  const text = call.function?.arguments;
  if (typeof text !== "string") return true;
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    // Cut off, or never JSON.
    return false;
  }
}

function readable(call: Call): Call {
  return isReadable(call) ? call : { ...call, function: { ...call.function, arguments: "{}" } };
}

function says({ content }: ChatMessage): boolean {
  return content !== null && content !== undefined && content.length > 0;
}

function withoutCalls<M extends ChatMessage>(message: M): M {
  const { tool_calls: _none, ...rest } = message;
  return rest as unknown as M;
}
