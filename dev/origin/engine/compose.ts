import type { Sampling } from "../api/sampling.ts";
import type { Reply, ToolCall } from "../model/conversation.ts";
import { wordsOf } from "../model/long-text.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * Which tokens does a choice consist of, and what does each show to the reader? One delta for each token, so that pacing,
 * counting, faults and aborts use the same numbers. Stop strings are held back and cut as in vLLM's detokenizer; the
 * end-of-turn token counts but shows nothing.
 */
export type Delta =
  | { readonly kind: "content" | "reasoning"; readonly text: string; readonly token: string }
  | { readonly kind: "tool-start"; readonly index: number; readonly call: ToolCall }
  | { readonly kind: "tool-arguments"; readonly index: number; readonly text: string }
  /** A token that the engine's parser swallows. */
  | { readonly kind: "silent" };

export interface Choice {
  readonly deltas: readonly Delta[];
  readonly finishReason: "stop" | "length" | "tool_calls";
  /** The stop string or token id that ended it; null if the model ended by itself. */
  readonly stopReason: string | number | null;
}

export interface ComposeOptions {
  readonly tokenizer: Tokenizer;
  readonly sampling: Sampling;
  readonly maxTokens: number;
  /** A named `tool_choice` finishes with `stop`, as vLLM and OpenAI do. */
  readonly namedTool: boolean;
}

export function composeChoice(reply: Reply, options: ComposeOptions): Choice {
  const { tokenizer, sampling, maxTokens } = options;
  const deltas: Delta[] = [];
  if (reply.reasoning !== "") {
    for (const text of tokenizer.pieces(reply.reasoning))
      deltas.push({ kind: "reasoning", text, token: text });
    deltas.push({ kind: "silent" });
  }
  for (const [index, call] of reply.calls.entries()) pushCall(deltas, tokenizer, index, call);
  if (reply.calls.length > 0) {
    if (deltas.length >= maxTokens)
      return { deltas: deltas.slice(0, maxTokens), finishReason: "length", stopReason: null };
    deltas.push({ kind: "silent" });
    return { deltas, finishReason: options.namedTool ? "stop" : "tool_calls", stopReason: null };
  }
  return withContent(deltas, reply.content, options, sampling);
}

function withContent(deltas: Delta[], content: string, options: ComposeOptions, sampling: Sampling): Choice {
  const { tokenizer, maxTokens } = options;
  const pieces = tokenizer.pieces(content);
  const least = Math.min(sampling.ignoreEos ? maxTokens : sampling.minTokens, maxTokens) - deltas.length;
  // If it must continue after its end, the model adds filler text.
  if (pieces.length < least) {
    const filler = tokenizer.pieces(` ${wordsOf(least - pieces.length)}`);
    for (let at = 0; pieces.length < least; at++) pieces.push(filler[at % filler.length] ?? " ");
  }
  const room = maxTokens - deltas.length;
  const stopped = sampling.stop.length > 0 ? pushUntilStop(deltas, pieces, room, sampling) : undefined;
  if (stopped !== undefined) return { deltas, finishReason: "stop", stopReason: stopped };
  if (sampling.stop.length === 0)
    for (let at = 0; at < Math.min(pieces.length, room); at++) {
      const text = pieces[at] ?? "";
      deltas.push({ kind: "content", text, token: text });
    }
  if (deltas.length >= maxTokens)
    return { deltas: deltas.slice(0, maxTokens), finishReason: "length", stopReason: null };
  deltas.push({ kind: "content", text: "", token: "" });
  const eosId = tokenizer.controlId(tokenizer.eos);
  const asked = eosId !== undefined && sampling.stopTokenIds.includes(eosId);
  return { deltas, finishReason: "stop", stopReason: asked ? eosId : null };
}

/** The stop string that ended it; undefined: none, and all held text has been released. */
function pushUntilStop(
  deltas: Delta[],
  pieces: readonly string[],
  room: number,
  sampling: Sampling,
): string | undefined {
  const held = sampling.includeStop ? 0 : Math.max(...sampling.stop.map((stop) => stop.length)) - 1;
  let text = "";
  let shown = 0;
  for (let at = 0; at < Math.min(pieces.length, room); at++) {
    const token = pieces[at] ?? "";
    const before = text.length;
    text += token;
    const stop = deltas.length + 1 > sampling.minTokens ? firstStop(text, before, sampling.stop) : undefined;
    if (stop !== undefined) {
      const end = sampling.includeStop ? stop.at + stop.text.length : stop.at;
      deltas.push({ kind: "content", text: text.slice(shown, Math.max(shown, end)), token });
      return stop.text;
    }
    const last = at === Math.min(pieces.length, room) - 1;
    const end = last ? text.length : Math.max(shown, text.length - held);
    deltas.push({ kind: "content", text: text.slice(shown, end), token });
    shown = end;
  }
  return undefined;
}

function firstStop(text: string, before: number, stops: readonly string[]) {
  let found: { at: number; text: string } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop, Math.max(0, before - stop.length + 1));
    if (at !== -1 && (found === undefined || at < found.at)) found = { at, text: stop };
  }
  return found;
}

function pushCall(deltas: Delta[], tokenizer: Tokenizer, index: number, call: ToolCall): void {
  // The opening `{"name": …, "parameters": ` is read by the engine's parser; its last token shows the call.
  for (let left = tokenizer.pieces(`{"name": "${call.name}", "parameters": `).length; left > 1; left--)
    deltas.push({ kind: "silent" });
  deltas.push({ kind: "tool-start", index, call });
  for (const text of tokenizer.pieces(JSON.stringify(call.arguments) ?? "{}"))
    deltas.push({ kind: "tool-arguments", index, text });
  deltas.push({ kind: "silent" });
}
