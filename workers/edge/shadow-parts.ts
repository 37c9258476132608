/** The shadows of this isolate: the outcomes of their copies are counted, and otherwise ignored. */
import type { MetricRecorder } from "../../src/shared/telemetry/metrics/metric-recorder.ts";
import { ShadowTurns, type ShadowOptions } from "../../src/shared/turn/shadow-turns.ts";

export function shadowTurns(
  metrics: MetricRecorder,
  now: () => number,
  setTimer: ShadowOptions["setTimer"],
): ShadowTurns {
  return new ShadowTurns({
    now,
    setTimer,
    onEnd({ alias, model, result, durationMs, generatedTokens }) {
      metrics.count("shadowRequests", `${alias}\n${model}\n${result}`);
      if (generatedTokens !== null)
        metrics.count("shadowGeneratedTokens", `${alias}\n${model}`, generatedTokens);
      if (durationMs > 0) metrics.observe("shadowDuration", `${alias}\n${model}`, durationMs);
    },
  });
}
