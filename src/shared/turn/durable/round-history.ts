/**
 * What happened in an answer before its present round? An answer that uses the service's own tools has rounds: the model speaks and calls
 * tools, the calls are executed, and the model is asked again with both. Pure.
 */
import type { Usage } from "../../contracts/usage.ts";
import type { WebSource } from "../../grounding/citable.ts";
import type { ServerCall } from "../../responses/server-items.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import { isRecord } from "../../wire/is-record.ts";
import { recalledArguments, type ChatMessage } from "../../wire/chat-messages.ts";

export interface AnsweredCall {
  /** The id of its item, and of the call in the model's next prompt. */
  readonly id: string;
  readonly call: ServerCall;
  /** The result as the model reads it; `null`: none yet. */
  told: string | null;
}

export interface Round {
  /** Calls of this round only, those of the client's functions included. */
  readonly said: AnswerCollector;
  readonly calls: AnsweredCall[];
}

/** What a resumed run needs to know of earlier rounds and no event shows: stored in the run's note. */
export interface RoundsNote {
  /** Characters of each result that the model still reads, once all of them no longer fit its window. Absent: whole results. */
  readonly mostTold?: number;
  /** The usage of the rounds before the present one. */
  readonly prior: Usage;
  /** Results as the model read them, by the call's id, where the item does not show them. */
  readonly told: Readonly<Record<string, string>>;
  readonly sources: readonly WebSource[];
  /** How many sources were known when each round ended, by the round's place. Absent: older code wrote it. */
  readonly known?: Readonly<Record<string, number>>;
}

/** The part of a run's note on its rounds, as JSON. */
export function roundsIn(note: string | null): RoundsNote | null {
  const value: unknown = note === null ? null : JSON.parse(note);
  return isRecord(value) && isRecord(value["rounds"]) ? (value["rounds"] as unknown as RoundsNote) : null;
}

/** A journal's rounds with their results as the model read them, and as the conversation keeps them. */
export function toldRounds(
  begun: { readonly rounds: readonly Round[]; readonly note: RoundsNote | null } | null,
): readonly Round[] {
  return (begun?.rounds ?? []).map(({ said, calls }) => ({
    said,
    calls: calls.map((called) => ({ ...called, told: begun?.note?.told[called.id] ?? called.told })),
  }));
}

/** The same as clients may see them (tools/shown-result.ts), and as the conversation and the archive have them. */
export function shownRounds(rounds: readonly Round[], shown: (text: string) => string): readonly Round[] {
  return rounds.map(({ said, calls }) => ({
    said,
    calls: calls.map((called) => ({
      ...called,
      told: called.told === null ? null : shown(called.told),
    })),
  }));
}

/** The rounds as the model's next prompt, the conversation and the archive have them. */
export function messagesOfRounds(rounds: readonly Round[]): ChatMessage[] {
  return rounds.flatMap(({ said, calls }): ChatMessage[] => {
    const [choice] = said.choices;
    const content = choice?.content ?? choice?.refusal ?? null;
    const reasoning = choice?.reasoning ?? null;
    const own = (choice?.toolCalls ?? []).map(({ id, name, arguments: text }) => calling(id, name, text));
    return [
      {
        role: "assistant",
        content: content === "" ? null : content,
        tool_calls: [...own, ...calls.map(({ id, call }) => calling(id, call.name, call.arguments))],
        ...(reasoning === null || reasoning === "" ? {} : { reasoning }),
      },
      ...calls.map(({ id, told }) => ({
        role: "tool" as const,
        content: told ?? "The call was interrupted.",
        tool_call_id: id,
      })),
    ];
  });
}

function calling(id: string, name: string, text: string) {
  // A model may write arguments that are not JSON, which no engine can read back.
  return { id, type: "function" as const, function: { name, arguments: recalledArguments(text) } };
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

/** What was used by whoever knows of more. */
export function most(left: Usage, right: Usage): Usage {
  return combined(left, right, Math.max);
}

export function plus(left: Usage, right: Usage): Usage {
  return combined(left, right, (a, b) => a + b);
}

export function minus(left: Usage, right: Usage): Usage {
  return combined(left, right, (a, b) => Math.max(0, a - b));
}

function combined(left: Usage, right: Usage, combine: (a: number, b: number) => number): Usage {
  return {
    promptTokens: combine(left.promptTokens, right.promptTokens),
    completionTokens: combine(left.completionTokens, right.completionTokens),
    cachedTokens: combine(left.cachedTokens, right.cachedTokens),
    reasoningTokens: combine(left.reasoningTokens, right.reasoningTokens),
  };
}
