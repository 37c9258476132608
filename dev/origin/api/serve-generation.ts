import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { ServedModel } from "../catalog.ts";
import type { Choice } from "../engine/compose.ts";
import { Generation, type EngineParts } from "../engine/generation.ts";
import { chainStart } from "../engine/prefix-cache.ts";
import { badRequest, refusalBody, type EngineRefusal } from "../engine/refusal.ts";
import { tokenizerOf, type Encoded } from "../engine/tokenizer.ts";
import type { Exchange } from "../server/exchange.ts";
import { sendWhole } from "../server/whole-answer.ts";
import type { Sampling } from "./sampling.ts";
import { runningUsageJson, usageJson } from "./usage.ts";

/** Sends composed choices as an answer, streamed or whole, in the same way for both generation routes. */
export interface AnswerForm {
  /** The text before the first token of a choice, maybe empty. `usage` is "" or `,"usage":{…}`. */
  opening(index: number, usage: string): string;
  /** The event of one token, empty if the engine's parser swallows it. */
  step(index: number, choice: Choice, step: number, usage: string): string;
  usage(usage: string): string;
  whole(choices: readonly Choice[], usage: string): string;
}

export interface PromptTokens {
  readonly text: string;
  readonly encoded: Encoded;
}

export interface ServedAnswer {
  readonly model: ServedModel;
  readonly sampling: Sampling;
  readonly prompts: readonly PromptTokens[];
  readonly choices: readonly Choice[];
  readonly form: AnswerForm;
}

/**
 * The number of answer tokens: as requested, or all that the window leaves. Like vLLM, refuses if prompt and answer
 * together exceed the window.
 */
export function answerLimit(
  model: ServedModel,
  promptTokens: number,
  asked: number | null | undefined,
  name: string,
): Result<number, EngineRefusal> {
  if (typeof asked === "number" && asked < 1)
    return badRequest(`max_tokens must be at least 1, got ${asked}.`, name);
  const wanted = asked ?? 1;
  if (promptTokens + wanted > model.contextWindow)
    return badRequest(
      `This model's maximum context length is ${model.contextWindow} tokens. However, you requested ${asked ?? 0} output ` +
        `tokens and your prompt contains at least ${promptTokens} input tokens, for a total of at least ` +
        `${promptTokens + wanted} tokens. Please reduce the length of the input prompt or the number of requested output tokens.`,
      "input_tokens",
    );
  return ok(asked ?? model.contextWindow - promptTokens);
}

export function serveGeneration(exchange: Exchange, engine: EngineParts, answer: ServedAnswer): void {
  const { model, sampling, prompts, choices, form } = answer;
  const { record, fault } = exchange;
  const chain = chainStart(model.name, sampling.salt);
  let promptTokens = 0;
  for (const { encoded } of prompts) promptTokens += encoded.ids.length;
  let steps = 0;
  let totalTokens = 0;
  for (const { deltas } of choices) {
    steps = Math.max(steps, deltas.length);
    totalTokens += deltas.length;
  }
  if (record !== undefined) {
    record.prompt_tokens = promptTokens;
    record.prompt = prompts.map(({ text }) => text).join("\n");
    record.special_tokens = controlsOf(prompts);
  }
  const usageAt = (tokens: number) =>
    sampling.continuousUsage ? `,"usage":${runningUsageJson(promptTokens, tokens)}` : "";
  let cachedTokens = 0;
  let faulted = false;

  const writeStep = (step: number) => {
    let text = "";
    for (const [index, choice] of choices.entries()) {
      if (step === 0) text += form.opening(index, usageAt(0));
      text += form.step(index, choice, step, usageAt(step + 1));
    }
    if (text !== "") exchange.write(text);
  };

  const generation: Generation = new Generation(
    {
      model: model.name,
      priority: sampling.priority,
      prompts: prompts.map(({ encoded }) => ({ ids: encoded.ids, chain })),
      steps,
      totalTokens,
      stepwise: sampling.stream,
      finishReason: choices.every((choice) => choice.finishReason === "length") ? "length" : "stop",
      remembered: record === undefined ? undefined : rememberedOf(answer),
      onStart(cached) {
        cachedTokens = cached;
        if (record !== undefined) record.cached_tokens = cached;
      },
      onStep(step) {
        if (fault !== undefined && !faulted && meets(exchange, step)) {
          faulted = true;
          const verdict = strike(exchange, () => generation.resume());
          if (verdict !== "go") return verdict;
        }
        if (record !== undefined) {
          record.first_token_ms ??= Date.now();
          record.generated_tokens = step + 1;
        }
        writeStep(step);
        return "go";
      },
      onEnd() {
        if (record !== undefined) record.generated_tokens = steps;
        if (!sampling.stream) {
          sendWhole(exchange, form.whole(choices, usageJson(promptTokens, totalTokens, cachedTokens)));
          return;
        }
        const usage = sampling.includeUsage
          ? form.usage(usageJson(promptTokens, totalTokens, cachedTokens))
          : "";
        exchange.complete(`${usage}data: [DONE]\n\n`);
      },
    },
    engine,
  );
  exchange.onGone = () => {
    if (record !== undefined && !sampling.stream) record.generated_tokens = generation.generatedTokens;
    generation.abort();
  };
  if (sampling.stream) exchange.startStream(engine.speed.ttftMs > 0 || fault !== undefined);
  engine.scheduler.submit(generation);
}

/** Whether this exchange's fault occurs before the token of this step. */
function meets(exchange: Exchange, step: number): boolean {
  const { fault } = exchange;
  if (fault?.fault === "stall_before_first") return true;
  return fault !== undefined && "after" in fault && step >= fault.after;
}

function strike(exchange: Exchange, resume: () => void): "go" | "hold" | "stop" {
  const { fault } = exchange;
  switch (fault?.fault) {
    case "stall_before_first":
    case "stall_after":
      if (typeof fault.delay_ms === "number") setTimeout(resume, fault.delay_ms).unref();
      return "hold";
    case "cut_after":
      exchange.cut(fault.reset);
      return "stop";
    case "broken_chunk":
      exchange.write(
        'data: {"id":"chatcmpl-broken","object":"chat.completion.chunk","choices":[{"index":0,"del\n\n',
      );
      return "go";
    case "error_event":
      exchange.settle("faulted");
      exchange.write(
        `data: ${refusalBody({ status: fault.status, type: "InternalServerError", message: fault.message, param: null })}\n\n`,
      );
      exchange.end(fault.done ? "data: [DONE]\n\n" : "");
      return "stop";
    case "end_early":
      exchange.settle("faulted");
      exchange.end();
      return "stop";
    default:
      return "go";
  }
}

function controlsOf(prompts: readonly PromptTokens[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { encoded } of prompts)
    for (const [name, count] of Object.entries(encoded.controls ?? {})) all[name] = (all[name] ?? 0) + count;
  return all;
}

/** One prompt with one answer becomes the prefix of the conversation's next turn. */
function rememberedOf(answer: ServedAnswer): (() => readonly number[]) | undefined {
  const prompt = answer.prompts[0];
  const choice = answer.choices[0];
  if (prompt === undefined || choice === undefined || answer.prompts.length * answer.choices.length !== 1)
    return undefined;
  return () => {
    let text = "";
    for (const delta of choice.deltas) if (delta.kind === "content") text += delta.text;
    return [...prompt.encoded.ids, ...tokenizerOf(answer.model.family).encode(text).ids];
  };
}
