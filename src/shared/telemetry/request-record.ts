/**
 * What is known of one request when it has ended: the source of its log line and of its metrics, made once.
 * It never holds content, credentials or secrets; a user's id is not in it either.
 */
import type { RouteReason } from "../routing/models/choose-route.ts";
import type { UsageBasis } from "../contracts/usage.ts";
import type { CounterLabels } from "./metrics/metric-table.ts";

export const stageNames = [
  "identify",
  "validate",
  "files",
  "screen",
  "admit",
  "lookup",
  "recall",
  "ground",
  "compose",
  "dispatch",
  "stream",
] as const;
export type Stage = (typeof stageNames)[number];

/** How a request ended, seen from the client's side. */
export type Ending =
  | "answered"
  | "refused"
  | "client-gone"
  | "origin-error"
  | "stalled"
  | "deadline"
  | "stopped";

export interface RequestRecord {
  /** The route's pattern, never the path: paths hold ids. */
  endpoint: string;
  method: string;
  requestId: string;
  traceId: string;
  status: number;
  ending: Ending;
  startedMs: number;
  /** From the request's arrival to its last byte, in milliseconds. */
  durationMs: number;
  /** From the request's arrival to the first token, in milliseconds. */
  firstTokenMs?: number;
  tenant?: string;
  org?: string;
  tier?: string;
  /** The model's id in the fleet file (not what the client typed, which is unbounded). */
  model?: string;
  /** What the client asked for, where that is an alias; then who it was dealt to and why this model (choose-route.ts). */
  alias?: string;
  arm?: string;
  reason?: RouteReason;
  cluster?: string;
  replica?: string;
  attempts?: number;
  /** Who was asked in vain, why, and how long each took, of at most six a dispatch (routing/ports.ts). */
  tried?: string;
  /** How often another engine went on with the answer; absent: never. */
  continued?: number;
  /** Which engines it left in mid-answer, and why. */
  left?: string;
  /** Why nobody did when its engine failed. */
  notContinued?: string;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
  usageBasis?: UsageBasis;
  cache?: CounterLabels<"cache">;
  /** What the screen found in the prompt and the guard in the answer: kinds and counts, `email:2 card:1`. */
  screened?: string;
  guarded?: string;
  /** What was found in files for the prompt, and what kept more from it: `found:5`, `late found:0 withheld:1`. */
  grounded?: string;
  /** The firewall's rule that matched, and where, also where it only logs. */
  firewall?: string;
  /** The refusal's kind and its detail for operators. */
  errorKind?: string;
  errorDetail?: string;
  /** With `dependency-unavailable`: which one. Always a name from the code. */
  errorComponent?: string;
  readonly stages: Partial<Record<Stage, number>>;
}

/** One JSON line; short, since a line is a good part of a request's cost: a request that reached no model has no tokens. */
export function logLine(record: RequestRecord): string {
  if (record.model !== undefined) return eventLine(record);
  const { promptTokens: _p, completionTokens: _c, cachedTokens: _k, reasoningTokens: _r, ...rest } = record;
  return eventLine(rest);
}

/** A copy with one field more would have so many that V8 makes a dictionary of it, which is slow to write and to read. */
function eventLine(record: Partial<RequestRecord>): string {
  return `{"event":"request",${JSON.stringify(record).slice(1)}`;
}

/**
 * `Server-Timing` (https://www.w3.org/TR/server-timing/): a metric a stage, in milliseconds.
 *
 * @param grounded what the stage `ground` came to, where it ran; a token or a few of our own
 */
export function serverTiming(stages: Partial<Record<Stage, number>>, grounded?: string): string {
  let header = "";
  for (const stage in stages) {
    const ms = stages[stage as Stage] ?? 0;
    header += `${header === "" ? "" : ", "}${stage};dur=${ms % 1 === 0 ? ms : ms.toFixed(2)}`;
    if (grounded !== undefined && stage === "ground") header += `;desc="${grounded}"`;
  }
  return header;
}
