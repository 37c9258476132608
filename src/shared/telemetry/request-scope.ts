/**
 * One running request: its ids, the durations of its stages, and its record, which is written exactly once at its end, whether the
 * handler, the stream's observer or an exception ends it.
 */
import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Correlation } from "./correlation.ts";
import type { Ending, RequestRecord, Stage } from "./request-record.ts";

export interface ScopeOptions {
  readonly endpoint: string;
  readonly method: string;
  readonly correlation: Correlation;
  readonly background: Background;
  /** Milliseconds since 1970. In production it stands still between I/O. */
  readonly clock: () => number;
  /** Takes the finished record. */
  readonly emit: (record: RequestRecord, background: Background) => void;
}

export class RequestScope {
  readonly correlation: Correlation;
  readonly background: Background;
  readonly startedMs: number;
  readonly record: RequestRecord;
  readonly #clock: () => number;
  readonly #emit: ScopeOptions["emit"];
  #stageStartedMs: number;
  #open = true;

  constructor(options: ScopeOptions) {
    this.correlation = options.correlation;
    this.background = options.background;
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.startedMs = options.clock();
    this.#stageStartedMs = this.startedMs;
    this.record = {
      endpoint: options.endpoint,
      method: options.method,
      requestId: options.correlation.requestId,
      traceId: options.correlation.traceId,
      status: 0,
      ending: "answered",
      startedMs: this.startedMs,
      durationMs: 0,
      promptTokens: 0,
      completionTokens: 0,
      cachedTokens: 0,
      reasoningTokens: 0,
      stages: {},
    };
  }

  now(): number {
    return this.#clock();
  }

  /** Ends the stage that began at the last mark. */
  mark(stage: Stage): void {
    const now = this.#clock();
    this.record.stages[stage] = now - this.#stageStartedMs;
    this.#stageStartedMs = now;
  }

  /** Notes why the request was refused; the code that writes the answer sets the status. */
  refuse(refusal: Refusal): void {
    this.record.ending = refusal.kind === "client-gone" ? "client-gone" : "refused";
    this.record.errorKind = refusal.kind;
    if (refusal.kind === "content-refused")
      this.record.screened = refusal.categories.map((category) => `${category}:1`).join(" ");
    if (refusal.kind === "dependency-unavailable") this.record.errorComponent = refusal.component;
    const detail = operatorDetail(refusal);
    if (detail !== undefined) this.record.errorDetail = detail;
  }

  /** Ends the request. Later calls are ignored: the first end counts. */
  finish(ending?: Ending): void {
    if (!this.#open) return;
    this.#open = false;
    if (ending !== undefined) this.record.ending = ending;
    this.record.durationMs = this.#clock() - this.startedMs;
    this.#emit(this.record, this.background);
  }
}

/** Details for operators beyond the kind. Messages that quote the client's values are not logged. */
function operatorDetail(refusal: Refusal): string | undefined {
  switch (refusal.kind) {
    case "credential-invalid":
    case "origin-rejected":
    case "origin-unavailable":
    case "internal":
      return refusal.detail;
    case "dependency-unavailable":
      return `${refusal.component}: ${refusal.detail}`;
    case "limited":
      return `${refusal.limit.scope} ${refusal.limit.limit}`;
    case "scope-missing":
      return refusal.scope;
    case "blocked":
      return refusal.rule;
    case "url-invalid":
    case "signature-invalid":
      return refusal.detail;
    case "value-invalid":
      return refusal.param ?? undefined;
    default:
      return undefined;
  }
}
