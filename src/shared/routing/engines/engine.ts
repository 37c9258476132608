/**
 * How does one kind of engine differ from the others? One adapter each; the rest of the code knows engines only through this interface.
 */
import type { Result } from "../../contracts/result.ts";
import type { EngineMetrics } from "./engine-metrics.ts";
import type { OriginPath } from "../ports.ts";
import type { EngineFeatures, EngineKind } from "./engine-kind.ts";
import { openai } from "./openai.ts";
import { tensorRtLlm } from "./tensorrt-llm.ts";
import { vllm } from "./vllm.ts";
import { workersAi } from "./workers-ai.ts";

/** Prompt and answer don't fit, in the engine's numbers; 0 where it names none. */
export interface WindowFault {
  readonly windowTokens: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

export interface EngineAdapter {
  /** Requested with GET; any status below 500 means alive. `null`: there is no such path, and only requests show it. */
  readonly healthPath: string | null;
  /** `null`: it does not report its load. */
  readonly metricsPath: string | null;
  /** What is missing on the page is unknown, never 0. */
  readMetrics(page: string): EngineMetrics;
  /** The words of an error about the window; `null`: it is about something else. */
  readWindowFault(message: string): WindowFault | null;
  /**
   * The engine's body for one that was composed in vLLM's dialect. `null`: the same body. The error says, for the log, what
   * the engine can't express although the answer depends on it: the request is then refused, since the answer would be another one.
   */
  readonly bodyFor:
    | ((path: OriginPath, body: Readonly<Record<string, unknown>>, features: EngineFeatures) => EngineBody)
    | null;
}

export type EngineBody = Result<Record<string, unknown>, string>;

const adapters: Readonly<Record<EngineKind, EngineAdapter>> = {
  vllm,
  "tensorrt-llm": tensorRtLlm,
  openai,
  "workers-ai": workersAi,
};

export function engineAdapter(kind: EngineKind): EngineAdapter {
  return adapters[kind];
}
