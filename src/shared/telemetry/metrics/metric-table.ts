/**
 * All metrics in one table: names, meanings and labels. The isolate adds to them, the hub keeps them, the exposition writes
 * them; docs/metrics.md describes them, and a test compares it with this table.
 *
 * No label contains anything that a user or a tenant can choose: endpoints are route patterns, models are ids of the fleet file.
 */
export const labelNames = [
  "endpoint",
  "model",
  "status",
  "stage",
  "component",
  "class",
  "result",
  "scope",
  "alias",
  "arm",
] as const;
export type LabelName = (typeof labelNames)[number];

interface Family {
  readonly name: `edgewise_${string}`;
  readonly help: string;
  readonly labels: readonly LabelName[];
}
export interface CounterFamily extends Family {
  readonly type: "counter";
  /** All values of its single label. Each series exists from the start, at 0: Prometheus' increase() misses the first count of a new one. */
  readonly values?: readonly string[];
}
export interface HistogramFamily extends Family {
  readonly type: "histogram";
}

export const metricTable = {
  requests: {
    type: "counter",
    name: "edgewise_requests_total",
    help: "Requests that have ended, by route pattern, model (none: no model was reached) and HTTP status.",
    labels: ["endpoint", "model", "status"],
  },
  generatedTokens: {
    type: "counter",
    name: "edgewise_generated_tokens_total",
    help: "Tokens of answer that were delivered and charged.",
    labels: ["model"],
  },
  promptTokens: {
    type: "counter",
    name: "edgewise_prompt_tokens_total",
    help: "Tokens of prompt that were charged.",
    labels: ["model"],
  },
  requestDuration: {
    type: "histogram",
    name: "edgewise_request_duration_seconds",
    help: "From a request's arrival to the last byte of its answer.",
    labels: ["endpoint"],
  },
  timeToFirstToken: {
    type: "histogram",
    name: "edgewise_time_to_first_token_seconds",
    help: "From a request's arrival to the first token of its answer.",
    labels: ["model"],
  },
  stageDuration: {
    type: "histogram",
    name: "edgewise_stage_duration_seconds",
    help: "Time spent in one stage of a turn.",
    labels: ["stage"],
  },
  errors: {
    type: "counter",
    name: "edgewise_errors_total",
    help: "Requests that ended without their whole answer, by the part that said so and the reason.",
    labels: ["component", "class"],
  },
  extraAttempts: {
    type: "counter",
    name: "edgewise_extra_attempts_total",
    help: "Replicas that were asked beyond the first, for requests that were answered: retry (one before had failed) or hedge (one was late).",
    labels: ["model", "result"],
  },
  continuations: {
    type: "counter",
    name: "edgewise_continuations_total",
    help: "Answers whose engine failed after the first byte, by what came of it: continued (once for each engine that went on) or refused.",
    labels: ["model", "result"],
  },
  cache: {
    type: "counter",
    name: "edgewise_cache_total",
    help: "What became of the look-up in the answer cache: hit, miss, slow (counts as a miss) or bypass; with a semantic cache semantic_hit, _miss, _guarded, _slow or _failed.",
    labels: ["result"],
    values: [
      "hit",
      "miss",
      "slow",
      "bypass",
      "semantic_hit",
      "semantic_miss",
      "semantic_guarded",
      "semantic_slow",
      "semantic_failed",
    ],
  },
  routeRequests: {
    type: "counter",
    name: "edgewise_route_requests_total",
    help: "Requests of aliases that deal them out (weighted, cost), by arm, the model that answered, and how they ended.",
    labels: ["alias", "arm", "model", "result"],
  },
  routePromptTokens: {
    type: "counter",
    name: "edgewise_route_prompt_tokens_total",
    help: "Tokens of prompt that were charged, by arm.",
    labels: ["alias", "arm", "model"],
  },
  routeGeneratedTokens: {
    type: "counter",
    name: "edgewise_route_generated_tokens_total",
    help: "Tokens of answer that were delivered and charged, by arm.",
    labels: ["alias", "arm", "model"],
  },
  routeFirstToken: {
    type: "histogram",
    name: "edgewise_route_first_token_seconds",
    help: "From a request's arrival to the first token of its answer, by arm.",
    labels: ["alias", "arm"],
  },
  shadowRequests: {
    type: "counter",
    name: "edgewise_shadow_requests_total",
    help: "Copies of requests to an alias's shadow, by what came of them. Never charged to anyone.",
    labels: ["alias", "model", "result"],
  },
  shadowGeneratedTokens: {
    type: "counter",
    name: "edgewise_shadow_generated_tokens_total",
    help: "Tokens of answer that shadows generated, where the engine counted them; all of them thrown away.",
    labels: ["alias", "model"],
  },
  shadowDuration: {
    type: "histogram",
    name: "edgewise_shadow_duration_seconds",
    help: "From a copy's dispatch to the end of its answer.",
    labels: ["alias", "model"],
  },
  safetyFindings: {
    type: "counter",
    name: "edgewise_safety_findings_total",
    help: "What screens and guards found in prompts and answers (scope), by kind (class); also what was refused for it.",
    labels: ["scope", "class"],
  },
  guardVerdicts: {
    type: "counter",
    name: "edgewise_guard_verdicts_total",
    help: "Verdicts of guard models under tenants' moderation: safe, unsafe, unreadable, partial, late or failed.",
    labels: ["result"],
    values: ["safe", "unsafe", "unreadable", "late", "partial", "failed"],
  },
  bucketSlow: {
    type: "counter",
    name: "edgewise_bucket_slow_total",
    help: "Asks of a token bucket that took longer than 50 ms.",
    labels: ["scope"],
    values: ["user", "org"],
  },
  bucketUnreachable: {
    type: "counter",
    name: "edgewise_bucket_unreachable_total",
    help: "Asks of a token bucket that failed or ran out of time.",
    labels: ["scope"],
    values: ["user", "org"],
  },
  regionalDraws: {
    type: "counter",
    name: "edgewise_regional_draws_total",
    help: "Loans asked of a region's stock because an org's bucket is far, by what came of it.",
    labels: ["result"],
    values: ["loan", "empty", "late", "failed"],
  },
  openAdmissions: {
    type: "counter",
    name: "edgewise_open_admissions_total",
    help: "Requests let in by the tenant's policy although a bucket could not be asked.",
    labels: ["scope"],
    values: ["user", "org"],
  },
  injections: {
    type: "counter",
    name: "edgewise_injections_total",
    help: "Messages in which the injection screen found an attack, by who wrote them (user, data) and what was done.",
    labels: ["scope", "result"],
  },
  grounding: {
    type: "counter",
    name: "edgewise_grounding_total",
    help: "Answers that were to be told of files, by what came of it: grounded, nothing, no_room, withheld, late, unreachable or unknown.",
    labels: ["result"],
    values: ["grounded", "nothing", "no_room", "withheld", "late", "unreachable", "unknown"],
  },
  batchLines: {
    type: "counter",
    name: "edgewise_batch_lines_total",
    help: "Lines of batches: queued once each, and ended once as completed, failed or dropped (never begun); waited (refused for now) and broken (its answer broke off) each time that one was asked in vain.",
    labels: ["result"],
    values: ["queued", "completed", "failed", "dropped", "waited", "broken"],
  },
  batches: {
    type: "counter",
    name: "edgewise_batches_total",
    help: "Batches that have ended, by how: completed, failed, expired or cancelled.",
    labels: ["result"],
    values: ["completed", "failed", "expired", "cancelled"],
  },
  batchesRefused: {
    type: "counter",
    name: "edgewise_batches_refused_total",
    help: "Batches that were refused for want of room, by whose maximum: of the user's batches (user_batches), of all users' (tenant_batches), or of the requests in those (tenant_requests).",
    labels: ["result"],
    values: ["user_batches", "tenant_batches", "tenant_requests"],
  },
  archiveMessages: {
    type: "counter",
    name: "edgewise_archive_messages_total",
    help: "Messages to the archive: written or parked (a dead letter that can't be written) once each; retried each time that one was tried in vain; dead, once, when one came as a dead letter.",
    labels: ["result"],
    values: ["written", "retried", "dead", "parked"],
  },
  settlementsLost: {
    type: "counter",
    name: "edgewise_settlements_lost_total",
    help: "Settlements given up: their reservations stay charged as estimated.",
    labels: [],
  },
  batchesInDoubt: {
    type: "counter",
    name: "edgewise_metrics_batches_in_doubt_total",
    help: "Batches of metrics given up because their shard did not answer for minutes: they may or may not be counted.",
    labels: [],
  },
  seriesRefused: {
    type: "counter",
    name: "edgewise_metrics_series_refused_total",
    help: "Series of a batch that the hub's version does not know: during a rollout, or after buckets have changed.",
    labels: [],
  },
} as const satisfies Record<string, CounterFamily | HistogramFamily>;

export type MetricId = keyof typeof metricTable;
type IdOf<Type extends string> = {
  [Id in MetricId]: (typeof metricTable)[Id]["type"] extends Type ? Id : never;
}[MetricId];
export type CounterId = IdOf<"counter">;
export type HistogramId = IdOf<"histogram">;
/** Label values of a counter in the table's order, joined by `keySeparator`. If the table lists them, one of those. */
export type CounterLabels<Id extends CounterId> = (typeof metricTable)[Id] extends {
  readonly values: readonly (infer Value extends string)[];
}
  ? Value
  : string;

const families: Readonly<Record<MetricId, CounterFamily | HistogramFamily>> = metricTable;

export function familyOf(id: MetricId): CounterFamily | HistogramFamily {
  return families[id];
}

export const metricIds = Object.keys(metricTable) as MetricId[];

/** A separate gauge: it is measured at each scrape, not summed up. */
export const shardsMissingMetric = {
  name: "edgewise_metrics_shards_missing",
  help: "Shards of the hub that did not answer this scrape. Above 0 all other metrics are left out: a partial sum would be wrong.",
} as const;
