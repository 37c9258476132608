/**
 * Everything recorded about a request when it has ended: the source of its log line and its metrics, made once.
 * It never contains content, credentials, secrets or a user's id.
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
  "object",
] as const;
export type Stage = (typeof stageNames)[number];

/** How a request ended, from the client's point of view. */
export type Ending =
  | "answered"
  | "refused"
  | "client-gone"
  | "origin-error"
  | "stalled"
  | "deadline"
  | "stopped";

export interface RequestRecord {
  /** The route's pattern, never the path, since paths contain ids. */
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
  /** The model's id in the fleet file (not the name that the client sent, which is unbounded). */
  model?: string;
  /** The alias that the client asked for; then the arm that got the request, and why this model was chosen (choose-route.ts). */
  alias?: string;
  arm?: string;
  reason?: RouteReason;
  cluster?: string;
  replica?: string;
  attempts?: number;
  /** The replicas that failed, why, and how long each took; at most six for each dispatch (routing/ports.ts). */
  tried?: string;
  /** How often another engine continued the answer; absent: never. */
  continued?: number;
  /** Which engines failed within the answer, and why. */
  left?: string;
  /** Why no other engine continued when its engine failed. */
  notContinued?: string;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
  usageBasis?: UsageBasis;
  cache?: CounterLabels<"cache">;
  /** Findings of the screen in the prompt and of the guard in the answer: kinds and counts, `email:2 card:1`. */
  screened?: string;
  guarded?: string;
  /** How many passages of files were found for the prompt, and what prevented more: `found:5`, `late found:0 withheld:1`. */
  grounded?: string;
  /** The firewall's rule that matched, and where, even if it only logs. */
  firewall?: string;
  /** The refusal's kind and its detail for operators. */
  errorKind?: string;
  errorDetail?: string;
  /** The dependency for `dependency-unavailable`. Always a name from the code. */
  errorComponent?: string;
  readonly stages: Partial<Record<Stage, number>>;
}

/** One JSON line. Short, since a line is a considerable part of a request's cost: without a model it has no tokens. */
export function logLine(record: RequestRecord): string {
  if (record.model !== undefined) return eventLine(record);
  const { promptTokens: _p, completionTokens: _c, cachedTokens: _k, reasoningTokens: _r, ...rest } = record;
  return eventLine(rest);
}

/** A copy with one more field would have so many fields that V8 turns it into a dictionary, which is slow to write and read. */
function eventLine(record: Partial<RequestRecord>): string {
  return `{"event":"request",${JSON.stringify(record).slice(1)}`;
}

/**
 * `Server-Timing` (https://www.w3.org/TR/server-timing/): one metric for each stage, in milliseconds.
 *
 * @param grounded result of the stage `ground`, if it ran: one or a few tokens of our own
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
