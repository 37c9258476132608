/** Waits until a started product is ready: when `/health/ready` says so, or only servers of a model are missing. */

export interface ReadyTimes {
  /** Milliseconds from the call. */
  readonly withinMs: number;
  /** How long to wait for a model's servers before the product counts as ready without them. */
  readonly modelMs: number;
}

const usualTimes: ReadyTimes = { withinMs: 90_000, modelMs: 5_000 };
const lookEveryMs = 150;

/**
 * Null: everything is ready. A model's name: the product is ready, but no server of that model answers yet. One may come later and
 * is then found, so this is no reason to end. Rejects if there is no such answer in time.
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
    // Not JSON: the product can't report yet what is missing.
    return null;
  }
}
