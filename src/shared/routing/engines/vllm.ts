/** vLLM: bodies are composed in its dialect, so they are sent unchanged. */
import { readGauges } from "./engine-metrics.ts";
import type { EngineAdapter } from "./engine.ts";
import { usualWindowFault } from "./window-fault.ts";

export const vllm: EngineAdapter = {
  healthPath: "/health",
  metricsPath: "/metrics",
  readMetrics: (page) =>
    readGauges(page, {
      running: "vllm:num_requests_running",
      waiting: "vllm:num_requests_waiting",
      // Version 0 said gpu_cache_usage_perc.
      cacheUsage: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
      workedTokens: ["vllm:prompt_tokens_total", "vllm:generation_tokens_total"],
    }),
  readWindowFault: usualWindowFault,
  bodyFor: null,
};
