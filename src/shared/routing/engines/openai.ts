/** Any other server of OpenAI's API: OpenAI itself, llama.cpp, Ollama, a proxy. It gets OpenAI's fields alone unless its record says more. */
import { ok } from "../../contracts/result.ts";
import { unknownMetrics } from "../engine-metrics.ts";
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
