import type { PrefixCache } from "./prefix-cache.ts";
import type { Scheduler } from "./scheduler.ts";

/** A replica's metrics for Prometheus: vLLM's names, labels and bucket bounds (its docs, "Production metrics"). */
export type FinishedReason = "stop" | "length" | "abort" | "error";

const latencyBounds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120];
const firstTokenBounds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
];
const perTokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  total = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(seconds: number): void {
    this.sum += seconds;
    this.total++;
    const at = this.bounds.findIndex((bound) => seconds <= bound);
    if (at !== -1) this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}

class ModelMetrics {
  promptTokens = 0;
  generationTokens = 0;
  readonly finished: Record<FinishedReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
  readonly firstToken = new Histogram(firstTokenBounds);
  readonly interToken = new Histogram(perTokenBounds);
  readonly endToEnd = new Histogram(latencyBounds);
  readonly queue = new Histogram(latencyBounds);
}

export interface Finished {
  readonly model: string;
  readonly reason: FinishedReason;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly queuedMs: number;
  /** Undefined if there was no token. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number;
}

export class EngineMetrics {
  readonly #models = new Map<string, ModelMetrics>();

  constructor(models: Iterable<string>) {
    for (const model of models) this.#models.set(model, new ModelMetrics());
  }

  finish(end: Finished): void {
    const metrics = this.#models.get(end.model);
    if (metrics === undefined) return;
    metrics.promptTokens += end.promptTokens;
    metrics.generationTokens += end.generatedTokens;
    metrics.finished[end.reason]++;
    metrics.queue.observe(end.queuedMs / 1000);
    metrics.endToEnd.observe(end.totalMs / 1000);
    if (end.firstTokenMs === undefined) return;
    metrics.firstToken.observe(end.firstTokenMs / 1000);
    if (end.generatedTokens > 1)
      metrics.interToken.observe((end.totalMs - end.firstTokenMs) / 1000 / (end.generatedTokens - 1));
  }

  /** Prometheus text, version 0.0.4. */
  render(scheduler: Scheduler, caches: ReadonlyMap<string, PrefixCache>, totalBlocks: number): string {
    const lines: string[] = [];
    const family = (
      name: string,
      type: string,
      sample: (model: string, metrics: ModelMetrics) => string[],
    ) => {
      lines.push(`# HELP vllm:${name} See vLLM's documentation.`, `# TYPE vllm:${name} ${type}`);
      for (const [model, metrics] of this.#models) lines.push(...sample(model, metrics));
    };
    const label = (model: string, more = "") => `{engine="0",model_name="${model}"${more}}`;
    const one = (name: string, type: string, read: (model: string, metrics: ModelMetrics) => number) =>
      family(name, type, (model, metrics) => [`vllm:${name}${label(model)} ${read(model, metrics)}`]);
    const histogram = (name: string, read: (metrics: ModelMetrics) => Histogram) =>
      family(name, "histogram", (model, metrics) => {
        const values = read(metrics);
        let below = 0;
        const buckets = values.bounds.map((bound, index) => {
          below += values.counts[index] ?? 0;
          return `vllm:${name}_bucket${label(model, `,le="${bound}"`)} ${below}`;
        });
        return [
          ...buckets,
          `vllm:${name}_bucket${label(model, ',le="+Inf"')} ${values.total}`,
          `vllm:${name}_sum${label(model)} ${values.sum}`,
          `vllm:${name}_count${label(model)} ${values.total}`,
        ];
      });

    one("num_requests_running", "gauge", (model) => scheduler.counts(model).running);
    one("num_requests_waiting", "gauge", (model) => scheduler.counts(model).waiting);
    one("kv_cache_usage_perc", "gauge", (model) => Math.min(1, scheduler.counts(model).blocks / totalBlocks));
    one("prefix_cache_queries_total", "counter", (model) => caches.get(model)?.queriedTokens ?? 0);
    one("prefix_cache_hits_total", "counter", (model) => caches.get(model)?.hitTokens ?? 0);
    one("num_preemptions_total", "counter", () => 0);
    one("prompt_tokens_total", "counter", (_, metrics) => metrics.promptTokens);
    one("generation_tokens_total", "counter", (_, metrics) => metrics.generationTokens);
    family("request_success_total", "counter", (model, metrics) =>
      (["stop", "length", "abort", "error"] as const).map(
        (reason) =>
          `vllm:request_success_total${label(model, `,finished_reason="${reason}"`)} ${metrics.finished[reason]}`,
      ),
    );
    histogram("time_to_first_token_seconds", (metrics) => metrics.firstToken);
    histogram("inter_token_latency_seconds", (metrics) => metrics.interToken);
    histogram("e2e_request_latency_seconds", (metrics) => metrics.endToEnd);
    histogram("request_queue_time_seconds", (metrics) => metrics.queue);
    return `${lines.join("\n")}\n`;
  }
}
