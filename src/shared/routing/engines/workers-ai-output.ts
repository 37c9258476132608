/**
 * How do Workers AI's answers become OpenAI's? Both of its forms: its own (`{response, tool_calls, usage}`, and events of it) and, of
 * newer models, OpenAI's, which pass as they are.
 */
import type { OriginPath } from "../ports.ts";
import { isRecord } from "../../wire/is-record.ts";
import { StopCutter } from "./stop-cutter.ts";
import { calledOf, newCall, ToolCallDeltas } from "./workers-ai-calls.ts";

export interface OutputFrame {
  readonly path: OriginPath;
  /** As the engine's name for the model. */
  readonly model: string;
  readonly maxTokens: number | null;
  readonly stops: readonly string[];
  readonly nowMs: number;
  readonly newId: () => string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A whole answer as JSON. `null`: it is none. */
export function wholeOutput(output: unknown, frame: OutputFrame): string | null {
  if (!isRecord(output)) return null;
  if (frame.path === "/v1/embeddings") return embeddings(output, frame);
  if (frame.path === "/v1/rerank") return reranking(output, frame);
  if (Array.isArray(output["choices"]))
    return JSON.stringify(frame.stops.length === 0 ? output : cutAtStops(output, frame));
  const { response } = output;
  const calls = toolCalls(output["tool_calls"], frame);
  if (response === undefined && calls.length === 0) return null;
  const cutter = new StopCutter(frame.stops);
  const text = typeof response === "string" ? response : response == null ? "" : JSON.stringify(response);
  const content = cutter.add(text) + cutter.flush();
  const finish = cutter.stopped ? "stop" : finishReason(calls.length > 0, output["usage"], frame);
  const chat = frame.path === "/v1/chat/completions";
  const message = { role: "assistant", content, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  return JSON.stringify({
    ...head(frame, chat ? "chat.completion" : "text_completion"),
    choices: [
      chat
        ? { index: 0, message, finish_reason: finish }
        : { index: 0, text: content, finish_reason: finish },
    ],
    ...(isRecord(output["usage"]) ? { usage: output["usage"] } : {}),
  });
}

/** OpenAI's form already, of a run that was never told where to stop. */
function cutAtStops(output: Fields, { stops }: OutputFrame): Fields {
  const choices = (output["choices"] as readonly Fields[]).map((choice) => {
    const message = isRecord(choice["message"]) ? choice["message"] : null;
    const text = message === null ? choice["text"] : message["content"];
    if (typeof text !== "string") return choice;
    const cutter = new StopCutter(stops);
    const content = cutter.add(text) + cutter.flush();
    if (!cutter.stopped) return choice;
    return {
      ...choice,
      ...(message === null ? { text: content } : { message: { ...message, content } }),
      finish_reason: "stop",
    };
  });
  return { ...output, choices };
}

/** A stream of events as a stream of OpenAI's chunks. An end without `[DONE]` stays one, which is an answer that broke. */
export function outputStream(frame: OutputFrame): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const events = new OutputEvents(frame);
  let rest = "";
  const handle = (text: string): string => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    return lines.map((line) => events.line(line)).join("");
  };
  return new TransformStream({
    transform(chunk, controller) {
      const out = handle(decoder.decode(chunk, { stream: true }));
      if (out !== "") controller.enqueue(encoder.encode(out));
      // Nothing more is wanted: this also ends the run.
      if (events.done) controller.terminate();
    },
    flush(controller) {
      const out = handle(`${decoder.decode()}\n`);
      if (out !== "") controller.enqueue(encoder.encode(out));
    },
  });
}

class OutputEvents {
  readonly #frame: OutputFrame;
  readonly #cutter: StopCutter;
  readonly #head: Fields;
  /** The engine speaks OpenAI's form itself. */
  #native = true;
  readonly #calls: ToolCallDeltas;
  #usage: unknown = undefined;
  #done = false;

  constructor(frame: OutputFrame) {
    this.#frame = frame;
    this.#cutter = new StopCutter(frame.stops);
    this.#calls = new ToolCallDeltas(frame.newId);
    this.#head = head(
      frame,
      frame.path === "/v1/chat/completions" ? "chat.completion.chunk" : "text_completion",
    );
  }

  get done(): boolean {
    return this.#done;
  }

  /** What goes out for one line of the stream. */
  line(line: string): string {
    if (this.#done || !line.startsWith("data:")) return "";
    const data = line.slice(5).trim();
    if (data === "[DONE]") return this.#end();
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      // Passed on, so that the reader of the stream says that it is broken.
      return `data: ${data}\n\n`;
    }
    if (!isRecord(event)) return `data: ${data}\n\n`;
    if (Array.isArray(event["choices"]) || event["error"] !== undefined) {
      this.#native = false;
      const [choice] = (event["choices"] ?? []) as readonly unknown[];
      return this.#frame.stops.length > 0 && isRecord(choice)
        ? this.#cut(event, choice)
        : `data: ${data}\n\n`;
    }
    if (event["usage"] !== undefined) this.#usage = event["usage"];
    const { response } = event;
    const calls = this.#calls.read(event["tool_calls"]);
    // A token that is a number comes as one.
    const text = this.#cutter.add(
      typeof response === "string" || typeof response === "number" ? String(response) : "",
    );
    const delta = { content: text, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
    const out = calls.length === 0 && text === "" ? "" : this.#chunk(delta, text, null);
    return this.#cutter.stopped ? out + this.#end() : out;
  }

  /** OpenAI's chunk of a run that was never told where to stop. There is one choice: more are refused (workers-ai-input.ts). */
  #cut(event: Fields, choice: Fields): string {
    const delta = isRecord(choice["delta"]) ? choice["delta"] : null;
    const said = delta === null ? choice["text"] : delta["content"];
    let text = this.#cutter.add(typeof said === "string" ? said : "");
    if (choice["finish_reason"] != null) text += this.#cutter.flush();
    const { stopped } = this.#cutter;
    const changed = {
      ...choice,
      ...(typeof said !== "string" && text === ""
        ? {}
        : delta === null
          ? { text }
          : { delta: { ...delta, content: text } }),
      ...(stopped ? { finish_reason: "stop" } : {}),
    };
    const out = `data: ${JSON.stringify({ ...event, choices: [changed] })}\n\n`;
    return stopped ? out + this.#end() : out;
  }

  #end(): string {
    this.#done = true;
    if (!this.#native) return "data: [DONE]\n\n";
    const text = this.#cutter.stopped ? "" : this.#cutter.flush();
    const { any } = this.#calls;
    const finish = this.#cutter.stopped ? "stop" : finishReason(any, this.#usage, this.#frame);
    const bare = this.#calls.end();
    const usage = isRecord(this.#usage)
      ? `data: ${JSON.stringify({ ...this.#head, choices: [], usage: this.#usage })}\n\n`
      : "";
    const last = {
      ...(text === "" ? {} : { content: text }),
      ...(bare.length > 0 ? { tool_calls: bare } : {}),
    };
    return `${this.#chunk(last, text, finish)}${usage}data: [DONE]\n\n`;
  }

  #chunk(delta: Fields, text: string, finish: string | null): string {
    const choice =
      this.#frame.path === "/v1/chat/completions"
        ? { index: 0, delta, finish_reason: finish }
        : { index: 0, text, finish_reason: finish };
    return `data: ${JSON.stringify({ ...this.#head, choices: [choice] })}\n\n`;
  }
}

function head({ model, nowMs, newId }: OutputFrame, object: string): Fields {
  return { id: newId(), object, created: Math.floor(nowMs / 1000), model };
}

/** Its own form names no reason: an answer as long as it may be was cut. */
function finishReason(calls: boolean, usage: unknown, { maxTokens }: OutputFrame): string {
  if (calls) return "tool_calls";
  const tokens = isRecord(usage) ? usage["completion_tokens"] : undefined;
  return maxTokens !== null && typeof tokens === "number" && tokens >= maxTokens ? "length" : "stop";
}

/** Both of its forms: `{name, arguments: object}`, and OpenAI's own. */
function toolCalls(value: unknown, { newId }: OutputFrame): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).flatMap((call) => {
    const { name, given = {} } = calledOf(call);
    return name === null ? [] : [newCall(call as Fields, name, given, newId)];
  });
}

/** `Ai_Cf_Baai_Bge_Reranker_Base_Output`: an index and a score each. */
function reranking(output: Fields, { model }: OutputFrame): string | null {
  const { response } = output;
  if (!Array.isArray(response)) return null;
  const results = (response as readonly unknown[]).map((one) =>
    isRecord(one) ? { index: one["id"], relevance_score: one["score"] } : one,
  );
  return JSON.stringify({ model, results });
}

function embeddings(output: Fields, { model }: OutputFrame): string | null {
  const { data } = output;
  if (!Array.isArray(data)) return null;
  return JSON.stringify({
    object: "list",
    model,
    data: (data as readonly unknown[]).map((embedding, index) => ({ object: "embedding", index, embedding })),
  });
}
