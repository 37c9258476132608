/**
 * Workers AI, behind the binding AI instead of an address: workers-ai-transport.ts makes its calls look like an engine's HTTP, so that
 * the router knows no difference. Never tried against the real one: it does not run offline (docs/serving.md).
 */
import { unknownMetrics } from "./engine-metrics.ts";
import type { EngineAdapter } from "./engine.ts";
import { usualWindowFault } from "./window-fault.ts";

export const workersAi: EngineAdapter = {
  healthPath: null,
  metricsPath: null,
  readMetrics: () => unknownMetrics,
  readWindowFault: usualWindowFault,
  // The transport reads the body anyway.
  bodyFor: null,
};
