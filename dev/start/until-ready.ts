/** When is a product that was started ready? Once `/health/ready` says so, or lacks nothing but servers of a model. */

export interface ReadyTimes {
  /** Milliseconds from the call. */
  readonly withinMs: number;
  /** So long a model's servers may take before a product is called ready without them. */
  readonly modelMs: number;
}

const usualTimes: ReadyTimes = { withinMs: 90_000, modelMs: 5_000 };
const lookEveryMs = 150;

/**
 * Null: all of it is ready. A model's name: the product is, and no server of that model answers yet. It may come later, and is
 * found then: no reason to end. Rejects where there is no such answer in time.
 */
export async function waitUntilReady(url: string, times = usualTimes): Promise<string | null> {
  const untilMs = Date.now() + times.withinMs;
  let last = "no answer yet";
  let silentSinceMs: number | null = null;
  while (Date.now() < untilMs) {
    try {
      const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) });
      const text = await response.text();
      if (response.ok) return null;
      last = `${response.status} ${text}`;
      const model = silentModel(text);
      silentSinceMs = model === null ? null : (silentSinceMs ?? Date.now());
      if (model !== null && silentSinceMs !== null && Date.now() - silentSinceMs >= times.modelMs)
        return model;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, lookEveryMs);
    });
  }
  throw new Error(`Not ready after ${times.withinMs / 1000} s: ${last}`);
}

/** `{"status":"unavailable","part":"model:auto"}` (workers/edge/routes/health.ts); null: something else is wrong. */
function silentModel(text: string): string | null {
  try {
    const { part } = JSON.parse(text) as { part?: unknown };
    return typeof part === "string" && part.startsWith("model:") ? part.slice("model:".length) : null;
  } catch {
    // Not JSON: whatever answers can't say yet what it lacks.
    return null;
  }
}
