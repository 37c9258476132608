/**
 * Which call does a piece of a stream belong to, and does a choice end with calls? OpenAI numbers a choice's calls from 0 and names each once, in
 * its first piece. Engines do not all: Ollama gives every call the number 0 or none (ollama #7881, litellm #37792), SGLang left numbers out
 * (sglang #5661, #6310), some repeat a call's id with each piece. A client that joins such pieces gets one call with two names.
 */
import type { EngineDelta, FinishReason, ToolCallDelta } from "./engine-event.ts";

interface KnownCall {
  /** As the engine numbers it. */
  readonly index: number;
  /** "": not sent yet. */
  id: string;
}

export class CallsInOrder {
  readonly #choices = new Map<number, KnownCall[]>();

  /** The same with its calls in OpenAI's numbers, in the order in which they came. */
  read(delta: EngineDelta): EngineDelta {
    const { toolCalls } = delta;
    if (toolCalls === undefined) return delta;
    const known = this.#choices.get(delta.index) ?? [];
    this.#choices.set(delta.index, known);
    return { ...delta, toolCalls: toolCalls.map((call) => placed(call, known)) };
  }

  hasCalls(choice: number): boolean {
    return this.#choices.has(choice);
  }
}

/** Ollama and others end calls with `stop`, for which OpenAI's clients make none. With a tool that was named, OpenAI does so itself. */
export function finishOf(reason: FinishReason, hasCalls: boolean, namesTool = false): FinishReason {
  return reason === "stop" && hasCalls && !namesTool ? "tool_calls" : reason;
}

function placed(call: ToolCallDelta, known: KnownCall[]): ToolCallDelta {
  const { id = "", function: fn } = call;
  const at = known.findLastIndex(({ index }) => index === call.index);
  const before = known[at];
  // Some engines draw a new id for each piece; only with a name does it begin another call.
  const begins =
    before === undefined || (before.id !== "" && id !== "" && id !== before.id && (fn.name ?? "") !== "");
  if (begins) {
    known.push({ index: call.index, id });
    return { ...call, index: known.length - 1 };
  }
  if (before.id === "" && id !== "") {
    before.id = id;
    return { ...call, index: at };
  }
  const { id: _said, type: _type, ...rest } = call;
  return { ...rest, index: at };
}
