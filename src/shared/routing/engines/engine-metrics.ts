/**
 * What does an engine's `/metrics` say of its load? Reads the few lines that matter out of the Prometheus text by searching
 * for their names: vLLM's page has a thousand others. What is missing is null, never 0.
 */
export interface EngineMetrics {
  readonly running: number | null;
  readonly waiting: number | null;
  /** Share of the key-value cache in use, 0 to 1. */
  readonly cacheUsage: number | null;
  /** Tokens of prompts and answers that it has processed since its start. */
  readonly workedTokens: number | null;
}

export const unknownMetrics: EngineMetrics = {
  running: null,
  waiting: null,
  cacheUsage: null,
  workedTokens: null,
};

/** What an engine calls its gauges. */
interface GaugeNames {
  readonly running: string;
  readonly waiting: string;
  /** Its newer name and older ones. */
  readonly cacheUsage: readonly string[];
  /** Counters, added up. */
  readonly workedTokens: readonly string[];
}

/** Reads an engine's gauges. Several series of one name (data-parallel ranks, models) are added up; of cache usage the fullest counts. */
export function readGauges(text: string, names: GaugeNames): EngineMetrics {
  return {
    running: total(series(text, names.running)),
    waiting: total(series(text, names.waiting)),
    cacheUsage: fullest(names.cacheUsage.flatMap((name) => series(text, name))),
    workedTokens: total(names.workedTokens.flatMap((name) => series(text, name))),
  };
}

function total(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

function fullest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(1, Math.max(...values));
}

/** Values of the lines that begin with exactly this name. Lines without a finite, non-negative number are left out. */
function series(text: string, name: string): number[] {
  const values: number[] = [];
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    if (at > 0 && text[at - 1] !== "\n") continue;
    const after = text[at + name.length];
    if (after !== "{" && after !== " ") continue;
    const lineEnd = text.indexOf("\n", at);
    const line = text.slice(at + name.length, lineEnd === -1 ? text.length : lineEnd);
    const rest = after === "{" ? line.slice(line.lastIndexOf("}") + 1) : line;
    const value = Number.parseFloat(rest.trim());
    if (Number.isFinite(value) && value >= 0) values.push(value);
  }
  return values;
}
