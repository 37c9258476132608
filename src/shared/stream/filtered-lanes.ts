/**
 * Sends each text of a delta through the filter, lane by lane, and remembers which lanes of a choice are open, so that
 * what they hold is released before the choice's finish reason and not after.
 *
 * Lanes are flushed at the end of the choice only: to flush reasoning when content begins would let a span through that
 * is cut by a change of lane and back. So the last characters of reasoning (the filter's hold-back) arrive at the end.
 */
import type { EngineDelta, ToolCallDelta } from "./engine-event.ts";
import type { TextFilter, TextLane } from "./text-filter.ts";

export class FilteredLanes {
  readonly #filter: TextFilter;
  readonly #open = new Set<TextLane>();
  /** Most events are of the lane of the event before. */
  #last: TextLane | "" = "";

  constructor(filter: TextFilter) {
    this.#filter = filter;
  }

  push(lane: TextLane, text: string): string | null {
    if (lane !== this.#last) {
      this.#open.add(lane);
      this.#last = lane;
    }
    return this.#filter.push(lane, text);
  }

  /** Characters at the end of the only choice's text that the client does not have yet. */
  get held(): number {
    return this.#filter.held("0/content");
  }

  /**
   * The delta with what may be released; `null`: blocked. Log probabilities spell out the tokens that the filter may yet
   * mask, so they pass only one that changes nothing.
   */
  pass(delta: EngineDelta): EngineDelta | null {
    const { index, role } = delta;
    const logprobs = this.#filter.changesNothing === true ? delta.logprobs : undefined;
    const content = this.#text(`${index}/content`, delta.content);
    const reasoning = this.#text(`${index}/reasoning`, delta.reasoning);
    const refusal = this.#text(`${index}/refusal`, delta.refusal);
    if (content === null || reasoning === null || refusal === null) return null;
    const toolCalls: ToolCallDelta[] = [];
    for (const call of delta.toolCalls ?? []) {
      const released = this.#text(`${index}/call/${call.index}`, call.function.arguments);
      if (released === null) return null;
      const name = this.#word(`${index}/call/${call.index}/name`, call.function.name);
      const id =
        call.id === undefined || drawnId.test(call.id)
          ? call.id
          : this.#word(`${index}/call/${call.index}/id`, call.id);
      if (name === null || id === null) return null;
      if (released === undefined && name === undefined && id === undefined) continue;
      toolCalls.push({
        ...call,
        ...(id === undefined ? {} : { id }),
        function: { ...(name === undefined ? {} : { name }), arguments: released ?? "" },
      });
    }
    return {
      index,
      ...(role === undefined ? {} : { role, content: content ?? "" }),
      ...(content !== undefined ? { content } : logprobs === undefined ? {} : withoutText(delta)),
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(toolCalls.length > 0 ? { toolCalls } : {}),
      ...(logprobs === undefined ? {} : { logprobs }),
    };
  }

  /** What the lanes of a choice still hold, a delta each; `null`: blocked. */
  flush(choice: number): EngineDelta[] | null {
    const deltas: EngineDelta[] = [];
    for (const lane of this.#open) {
      const [index, part, call] = lane.split("/");
      if (index !== String(choice)) continue;
      this.#open.delete(lane);
      const text = this.#filter.flush(lane);
      if (text === null) return null;
      if (text !== "") deltas.push(deltaOf(choice, part, Number(call), text));
    }
    this.#last = "";
    return deltas;
  }

  /** A name or an id comes whole, and its reader needs it before what follows. */
  #word(lane: TextLane, text: string | undefined): string | undefined | null {
    if (text === undefined || text === "") return text;
    const released = this.push(lane, text);
    this.#open.delete(lane);
    this.#last = "";
    const rest = released === null ? null : this.#filter.flush(lane);
    if (released === null || rest === null) return null;
    return released + rest === text ? text : (released + rest).replace(notInWords, "_");
  }

  /** `undefined`: nothing to say in this lane now. */
  #text(lane: TextLane, text: string | undefined): string | undefined | null {
    if (text === undefined || text === "") return undefined;
    const released = this.push(lane, text);
    return released === "" ? undefined : released;
  }
}

/**
 * An id that the engine drew (vLLM's, OpenAI's, Mistral's short ones): random digits are a card's number once in some ten thousand times. Others
 * take it from what the model said, as `functions.weather:0`.
 */
const drawnId = /^(?:(?:call|chatcmpl-tool|toolu|fc)[_-][\w-]+|[A-Za-z0-9]{1,12})$/;

/** OpenAI's names and ids of calls hold no other characters, and who answers a call sends them back. */
const notInWords = /[^\w-]+/g;

/** The place of a token that makes no character by itself. */
function withoutText({ content }: EngineDelta): { readonly content?: "" } {
  return content === "" ? { content } : {};
}

function deltaOf(choice: number, part: string | undefined, call: number, text: string): EngineDelta {
  switch (part) {
    case "content":
      return { index: choice, content: text };
    case "reasoning":
      return { index: choice, reasoning: text };
    case "refusal":
      return { index: choice, refusal: text };
    default:
      return { index: choice, toolCalls: [{ index: call, function: { arguments: text } }] };
  }
}
