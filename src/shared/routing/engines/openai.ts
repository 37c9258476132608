/**
 * Any other server of OpenAI's API: OpenAI itself, llama.cpp, Ollama, a proxy. It is sent only OpenAI's fields unless its model record says
 * that it knows more.
 */
import { err, ok } from "../../contracts/result.ts";
import { unknownMetrics } from "./engine-metrics.ts";
import { asResponseFormat, streamOptions, vllmFields, without } from "./body-fields.ts";
import type { EngineAdapter } from "./engine.ts";
import { usualWindowFault } from "./window-fault.ts";

export const openai: EngineAdapter = {
  // The one path that all of them have. Without a key it says 401, which is alive.
  healthPath: "/v1/models",
  metricsPath: null,
  readMetrics: () => unknownMetrics,
  readWindowFault: usualWindowFault,
  bodyFor(_path, body, features) {
    const kept = features.sampling_fields
      ? without(body, (field) => field === "cache_salt" && !features.cache_salt)
      : without(body, (field) => vllmFields.has(field) && !(field === "cache_salt" && features.cache_salt));
    if (!features.sampling_fields) {
      // A restriction to these tokens is not a preference: it can't be left out.
      if (body["allowed_token_ids"] !== undefined) return err("allowed_token_ids");
      const { messages } = body;
      if (Array.isArray(messages))
        kept["messages"] = (messages as readonly unknown[]).map((message) => withoutThoughts(message));
    }
    // One choice where several were asked for reads as an answer that broke off.
    if (!features.choices && typeof body["n"] === "number" && body["n"] > 1) return err("n over 1");
    const options = streamOptions(kept["stream_options"], features);
    if (options === undefined) delete kept["stream_options"];
    else kept["stream_options"] = options;
    if (!features.sampling_fields && body["structured_outputs"] !== undefined) {
      const format = asResponseFormat(body["structured_outputs"]);
      if (!format.ok) return format;
      kept["response_format"] = format.value;
    }
    if (features.max_completion_tokens && kept["max_tokens"] !== undefined) {
      kept["max_completion_tokens"] = kept["max_tokens"];
      delete kept["max_tokens"];
    }
    return ok(kept);
  },
};

/** OpenAI's messages have no field for an answer's reasoning, and servers that only know OpenAI's fields refuse it. */
function withoutThoughts(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return message;
  if (!("reasoning" in message || "reasoning_content" in message)) return message;
  const { reasoning: _thought, reasoning_content: _same, ...rest } = message as Record<string, unknown>;
  return rest;
}
