/**
 * How does an answer that broke off continue? From what the engine was asked and what it said so far: the request by which another
 * engine of the same weights continues in the same sentence, or the reason why it must not. Pure; direct turns ask it when a stream
 * breaks (answering-engine.ts), durable ones also after an eviction, from their journal.
 *
 * The body is the first request's own with the answer so far as its last message: byte for byte the same head, so that the
 * engine's prefix cache holds it, and nothing is trimmed or rendered anew.
 */
import { neutraliseText, tokenFamilyOf } from "../prompt/control-tokens.ts";
import type { ModelRecord } from "../routing/fleet/fleet-config.ts";
import type { OriginPath } from "../routing/ports.ts";
import { Seam } from "../stream/seam.ts";
import type { Cut, CutTerms, Transcript } from "../stream/transcript.ts";
import { isRecord } from "../wire/is-record.ts";

/** What the first engine was asked: `ComposedPrompt` has it. */
export interface AskedEngine {
  readonly path: OriginPath;
  /** JSON. */
  readonly body: string;
}

export type Continuation =
  | {
      readonly kind: "ask";
      /** JSON, for the same path. */
      readonly body: string;
      readonly cut: Cut;
      /** Transforms the answer's text before it goes into `body`. */
      readonly seam: Seam;
    }
  /** All tokens that were asked for have come and only the finish reason was lost: it is `length`. */
  | { readonly kind: "complete" }
  /** It would not be the same answer: one error event ends it. `reason` is for the log. */
  | { readonly kind: "refused"; readonly reason: string };

/** How often an answer may change its engine. */
export const maxContinuations = 3;

export function continueAnswer(asked: AskedEngine, said: Transcript, record: ModelRecord): Continuation {
  if (said.overflowed) return refused("the answer is too long to be kept");
  const body: unknown = JSON.parse(asked.body);
  if (!isRecord(body)) return refused("the engine was asked for something else");
  const reason = notContinuable(body);
  if (reason !== null) return refused(reason);
  const stops = stopsOf(body["stop"]);
  const includeStop = body["include_stop_str_in_output"] === true;
  const cut = said.cut(termsOf(body));
  const maxTokens = numberOf(body["max_tokens"]);
  if (maxTokens !== null && cut.keptTokens >= maxTokens) return { kind: "complete" };
  const prefix = neutraliseText(cut.prefix, tokenFamilyOf(record));
  const continued = prefix === "" ? {} : withPrefix(asked.path, body, prefix, record);
  if (continued === null) return refused("the engine can't go on in a message");
  const minTokens = numberOf(body["min_tokens"]);
  return {
    kind: "ask",
    cut,
    seam: new Seam({ prefix: cut.prefix, ahead: cut.ahead, stops, includeStop }),
    body: JSON.stringify({
      ...body,
      ...continued,
      ...(maxTokens === null ? {} : { max_tokens: maxTokens - cut.keptTokens }),
      ...(minTokens === null ? {} : { min_tokens: Math.max(0, minTokens - cut.keptTokens) }),
    }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Where the engine's answer may be cut, by what it was asked for. */
export function cutTerms(asked: AskedEngine): CutTerms {
  const body: unknown = JSON.parse(asked.body);
  return isRecord(body) ? termsOf(body) : { heldCharacters: 0, deterministic: false };
}

function termsOf(body: Fields): CutTerms {
  return {
    heldCharacters: body["include_stop_str_in_output"] === true ? 0 : heldCharacters(stopsOf(body["stop"])),
    deterministic: body["temperature"] === 0 || body["top_k"] === 1,
  };
}

/** The fields that change; `null`: this engine can't continue an answer. */
function withPrefix(path: OriginPath, body: Fields, prefix: string, record: ModelRecord): Fields | null {
  if (path === "/v1/completions") {
    const { prompt } = body;
    return typeof prompt === "string" ? { prompt: prompt + prefix } : null;
  }
  const messages = body["messages"];
  // A server that does not know the field ignores it, and would begin a second answer behind the first.
  if (!record.engine_features.continuation || !Array.isArray(messages)) return null;
  return {
    messages: [...(messages as readonly unknown[]), { role: "assistant", content: prefix }],
    continue_final_message: true,
    // It defaults to true, and engines refuse the two together.
    add_generation_prompt: false,
  };
}

/** Why an answer to this request must not go on elsewhere; null: it may. */
function notContinuable(body: Fields): string | null {
  if ((numberOf(body["n"]) ?? 1) > 1) return "n is over 1";
  const format = body["response_format"];
  if (isRecord(format) && format["type"] !== "text") return "the output follows a grammar";
  if (given(body["structured_outputs"])) return "the output follows a grammar";
  // The second engine takes the answer so far for prompt, so its penalties would differ.
  if ((numberOf(body["frequency_penalty"]) ?? 0) !== 0) return "frequency_penalty";
  if ((numberOf(body["presence_penalty"]) ?? 0) !== 0) return "presence_penalty";
  if ((numberOf(body["repetition_penalty"]) ?? 1) !== 1) return "repetition_penalty";
  if (given(body["logprobs"]) && body["logprobs"] !== false) return "logprobs";
  const choice = body["tool_choice"];
  if (given(choice) && choice !== "auto" && choice !== "none") return "tool_choice is forced";
  return null;
}

/** vLLM holds back text that could begin a stop string: its text lags behind its tokens by that much. */
function heldCharacters(stops: readonly string[]): number {
  return Math.max(0, ...stops.map((stop) => stop.length - 1));
}

function stopsOf(stop: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  return list.filter((one) => typeof one === "string");
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refused(reason: string): Continuation {
  return { kind: "refused", reason };
}
