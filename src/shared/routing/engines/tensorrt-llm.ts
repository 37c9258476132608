/**
 * TensorRT-LLM's own server, trtllm-serve. Its request schema forbids what it does not know (tensorrt_llm/serve/openai_protocol.py:
 * `extra="forbid"`), so a field too many is a refused request.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { readGauges } from "./engine-metrics.ts";
import { asResponseFormat, streamOptions, without } from "./body-fields.ts";
import type { EngineAdapter } from "./engine.ts";
import { usualWindowFault } from "./window-fault.ts";

/** Fields of vLLM's, and OpenAI's newer ones, that it does not know. */
const unknownFields: ReadonlySet<string> = new Set([
  "bad_words",
  "return_tokens_as_token_ids",
  "include_reasoning",
  "structured_outputs",
  "continue_final_message",
]);

/** OpenAI's newer fields, which its schema refuses, as the nearest ones of its own. */
const efforts: ReadonlyMap<unknown, string> = new Map([
  ["minimal", "low"],
  ["xhigh", "high"],
]);

const promptTooLong =
  /prompt length \((\d+)(?:\.\d+)?\),? (?:and )?query length \((\d+)\)[\s\S]*?should not exceed (?:max_num_tokens|max_seq_len) \((\d+)\)/i;

export const tensorRtLlm: EngineAdapter = {
  healthPath: "/health",
  // With `return_perf_metrics: true`; /metrics is a JSON log of iterations that one reader empties for all others.
  metricsPath: "/prometheus/metrics",
  readMetrics: (page) =>
    readGauges(page, {
      running: "trtllm_num_requests_running",
      waiting: "trtllm_num_requests_waiting",
      cacheUsage: ["trtllm_kv_cache_utilization"],
      // It counts those of a request when that ends (`trtllm_generation_tokens_total`): the difference of two seconds tells no speed.
      workedTokens: [],
    }),
  readWindowFault(message) {
    const [, prompt, answer, window] = promptTooLong.exec(message) ?? [];
    return window === undefined
      ? usualWindowFault(message)
      : { windowTokens: Number(window), promptTokens: Number(prompt), answerTokens: Number(answer) };
  },
  bodyFor(path, body, features) {
    // A restriction to these tokens is not a preference: it can't be left out.
    if (body["allowed_token_ids"] !== undefined) return err("allowed_token_ids");
    const kept = without(body, (field) => unknownFields.has(field));
    if (!features.cache_salt) delete kept["cache_salt"];
    // Plain completions have no such field at all.
    if (path === "/v1/completions") delete kept["cache_salt"];
    const effort = efforts.get(kept["reasoning_effort"]);
    if (effort !== undefined) kept["reasoning_effort"] = effort;
    // "All tokens" is 0 there, and -1 an error.
    if (kept["top_k"] === -1) kept["top_k"] = 0;
    const options = streamOptions(kept["stream_options"], features);
    if (options === undefined) delete kept["stream_options"];
    else kept["stream_options"] = options;
    if (body["structured_outputs"] !== undefined) {
      const format = grammarFormat(body["structured_outputs"]);
      if (!format.ok) return format;
      kept["response_format"] = format.value;
    }
    return ok(kept);
  },
};

/** Its `response_format` also knows `regex` and `ebnf` (xgrammar). */
function grammarFormat(structured: unknown): Result<Record<string, unknown>, string> {
  const wanted = (structured ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof wanted["regex"] === "string") return ok({ type: "regex", regex: wanted["regex"] });
  if (typeof wanted["grammar"] === "string") return ok({ type: "ebnf", ebnf: wanted["grammar"] });
  const choices = wanted["choice"];
  if (Array.isArray(choices)) return ok({ type: "regex", regex: choices.map(literal).join("|") });
  const format = asResponseFormat(structured);
  return format.ok ? format : err(format.error);
}

/** As a regular expression that matches only this. */
function literal(choice: unknown): string {
  return `(${String(choice).replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (character) => `\\${character}`)})`;
}
