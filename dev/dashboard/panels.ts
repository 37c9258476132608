/**
 * The dashboard: rows of panels, each with its queries to Prometheus. docs/metrics.md explains the metrics; `node dev/dashboard.ts` writes the
 * dashboard for Grafana.
 */
import { ask, gauge, hitsOf, increase, quantile, quantileBy, rate, rateBy } from "./questions.ts";
import { curves, number, type Row, stack } from "./panel.ts";
import { faultClasses } from "../../src/shared/telemetry/metrics/error-class.ts";

/** Our alerts that are firing, as Prometheus reports them. */
export const firing = 'ALERTS{alertname=~"Edgewise.+",alertstate="firing"}';

const faults = faultClasses.join("|");
/** Clients' own: neither scrapes nor probes, nor a turn in an object of its own (`generation`), beside the request that began it, nor a line of a batch. */
const asked = 'endpoint!~"/metrics|/health.*|generation|batch"';
const ended = 'endpoint!~"/metrics|/health.*"';

/** A turn in an object is told its model there alone. */
const answered = 'model!="none"';

export const rows: readonly Row[] = [
  {
    title: "Now",
    panels: [
      number("Requests a second", "reqps", `sum(${rate("requests_total", asked)})`),
      {
        ...number(
          "Failing through us",
          "percentunit",
          // Of nothing there is no share.
          `sum(${rate("errors_total", `class=~"${faults}"`, "5m")}) / (sum(${rate("requests_total", ended, "5m")}) > 0) or vector(0)`,
        ),
        about: "As the alert EdgewiseFailsThroughUs has it: answers that broke off are among them.",
        yellowRed: [0.005, 0.02],
      },
      {
        ...number("First token, 95th percentile", "s", quantile(0.95, "time_to_first_token_seconds", [])),
        yellowRed: [2, 5],
      },
      number("Tokens a second", "short", `sum(${rate("generated_tokens_total")})`),
      number("Requests at engines", "short", "sum(edgewise_fleet_leases)"),
      {
        ...number("Alerts that fire", "short", `count(${firing}) or vector(0)`),
        about: "Of config/alerts/edgewise.rules.yml, where the same Prometheus has them.",
        yellowRed: [1, 1],
      },
    ],
  },
  {
    title: "Traffic",
    panels: [
      stack("Requests by route", "reqps", rateBy(["endpoint"], "requests_total", asked)),
      {
        ...stack("Requests by status", "reqps", rateBy(["status"], "requests_total", asked)),
        about: "A stream has the status of its headers, also where it broke off later.",
      },
      {
        ...stack("Answers by model", "reqps", rateBy(["model"], "requests_total", answered)),
        about: "Each once: direct ones, turns in objects, lines of batches.",
      },
      stack("Tokens of answers a second", "short", rateBy(["model"], "generated_tokens_total")),
      stack("Tokens of prompts a second", "short", rateBy(["model"], "prompt_tokens_total")),
      {
        ...curves(
          "Turns in objects",
          "reqps",
          ask(`sum(${rate("requests_total", 'endpoint="generation"')})`, "durable"),
          ask(`sum(${rate("requests_total", answered)})`, "all that a model answered"),
        ),
        about:
          "Durable turns: of conversations, responses, stored answers, batches; also titles and summaries that a model made. The platform bills each for an object's requests, rows and time; a direct turn for none.",
      },
    ],
  },
  {
    title: "Latency",
    panels: [
      curves("First token, 95th percentile", "s", quantileBy(0.95, ["model"], "time_to_first_token_seconds")),
      curves("First token, median", "s", quantileBy(0.5, ["model"], "time_to_first_token_seconds")),
      {
        ...curves(
          "Whole answer, 95th percentile",
          "s",
          quantileBy(0.95, ["endpoint"], "request_duration_seconds", ended),
        ),
        about:
          "To the last byte. Of a stream of a turn in an object that is told by `generation`, and by its route until it begins.",
      },
      {
        ...curves(
          "Stages, mean",
          "s",
          ask(
            `sum by (stage) (${rate("stage_duration_seconds_sum")}) / sum by (stage) (${rate("stage_duration_seconds_count")})`,
            "{{stage}}",
          ),
        ),
        about:
          "Production clocks stand still between I/O: a stage of pure CPU reads 0. object: what a request waited for a turn in an object, whose own stages are among the others.",
      },
      curves(
        "Stages until the first token, 95th percentile",
        "s",
        quantileBy(0.95, ["stage"], "stage_duration_seconds", 'stage!~"stream|object"'),
      ),
    ],
  },
  {
    title: "Errors",
    panels: [
      stack("Through us", "reqps", rateBy(["component", "class"], "errors_total", `class=~"${faults}"`)),
      stack(
        "Through the client",
        "reqps",
        rateBy(["component", "class"], "errors_total", `class!~"${faults}|limited|client-gone"`),
      ),
      curves(
        "Clients that left",
        "reqps",
        ask(`sum(${rate("errors_total", 'class="client-gone"')})`, "before the end"),
      ),
    ],
  },
  {
    title: "Limits",
    panels: [
      curves(
        "Refused by a limit",
        "reqps",
        ask(`sum(${rate("errors_total", 'class="limited"')})`, "limited"),
      ),
      {
        ...curves(
          "Token buckets",
          "cps",
          ask(`sum by (scope) (${rate("bucket_slow_total")})`, "slow: {{scope}}"),
          ask(`sum by (scope) (${rate("bucket_unreachable_total")})`, "unreachable: {{scope}}"),
        ),
        about: "Over 50 ms; no answer at all.",
      },
      curves(
        "Let in unasked, settlements lost, in 5 minutes",
        "short",
        ask(`sum by (scope) (${increase("open_admissions_total", "5m")})`, "let in: {{scope}}"),
        ask(`sum(${increase("settlements_lost_total", "5m")})`, "settlements lost"),
      ),
      stack("Loans asked of regions", "cps", rateBy(["result"], "regional_draws_total")),
    ],
  },
  {
    title: "Cache",
    panels: [
      stack("Look-ups", "cps", rateBy(["result"], "cache_total")),
      {
        ...curves(
          "Hits, in an hour",
          "percentunit",
          hitsOf("hit", "exact"),
          hitsOf("semantic_hit", "semantic"),
        ),
        about: "Of the requests that may be answered from the cache.",
      },
    ],
  },
  {
    title: "Fleet",
    panels: [
      {
        ...curves(
          "Replicas that take requests",
          "short",
          ask("edgewise_fleet_replicas", "{{cluster}}"),
          ask("edgewise_fleet_enabled_replicas", "{{cluster}}: are to"),
        ),
        about: "Active, reached, and not left out by their breaker.",
      },
      {
        ...curves("Saturation", "percentunit", gauge("saturation")),
        about: "Requests there and in the queue, over places: above 100 %, some wait.",
      },
      curves("Queue", "short", ask("edgewise_fleet_queue_length", "{{cluster}}")),
      curves("Tokens that wait", "short", gauge("queued_tokens")),
      stack("Requests at replicas", "short", ask("edgewise_fleet_leases", "{{cluster}}")),
      curves("Replicas that would be right", "short", gauge("wanted_replicas")),
      stack("Cost an hour", "currencyUSD", ask("edgewise_fleet_cost_dollars_per_hour", "{{cluster}}")),
      {
        ...curves("Pools that do not answer", "short", ask("edgewise_fleet_pools_missing", "clusters")),
        about: "Their gauges are left out.",
      },
    ],
  },
  {
    title: "Retries, hedges, continuations",
    panels: [
      {
        ...stack(
          "Replicas asked beyond the first",
          "reqps",
          rateBy(["model", "result"], "extra_attempts_total"),
        ),
        about: "retry: one before had failed. hedge: one was late.",
      },
      stack(
        "Answers whose engine failed in the middle",
        "reqps",
        rateBy(["model", "result"], "continuations_total"),
      ),
    ],
  },
  {
    title: "Aliases that deal requests out",
    panels: [
      stack("Requests by arm", "reqps", rateBy(["alias", "arm", "result"], "route_requests_total")),
      curves(
        "Tokens by arm, a second",
        "short",
        ask(`sum by (alias, arm) (${rate("route_prompt_tokens_total")})`, "{{alias}} {{arm}}: prompts"),
        ask(`sum by (alias, arm) (${rate("route_generated_tokens_total")})`, "{{alias}} {{arm}}: answers"),
      ),
      curves(
        "First token by arm, 95th percentile",
        "s",
        quantileBy(0.95, ["alias", "arm"], "route_first_token_seconds"),
      ),
      stack("Shadows", "reqps", rateBy(["alias", "model", "result"], "shadow_requests_total")),
      stack(
        "Tokens of shadows a second",
        "short",
        rateBy(["alias", "model"], "shadow_generated_tokens_total"),
      ),
      curves(
        "Shadows, 95th percentile",
        "s",
        quantileBy(0.95, ["alias", "model"], "shadow_duration_seconds"),
      ),
    ],
  },
  {
    title: "Safety",
    panels: [
      stack("Found in prompts and answers", "cps", rateBy(["scope", "class"], "safety_findings_total")),
      stack("Verdicts of guard models", "cps", rateBy(["result"], "guard_verdicts_total")),
      stack("Attacks on instructions", "cps", rateBy(["scope", "result"], "injections_total")),
    ],
  },
  {
    title: "Files, batches, archive",
    panels: [
      stack("Answers from files", "reqps", rateBy(["result"], "grounding_total")),
      {
        ...curves("Lines of batches", "cps", rateBy(["result"], "batch_lines_total")),
        about: "waited beside little completed: no room, or a limit.",
      },
      {
        ...curves(
          "Lines that wait or run",
          "short",
          ask(
            'sum(edgewise_batch_lines_total{result="queued"}) - sum(edgewise_batch_lines_total{result=~"completed|failed|dropped"})',
            "lines",
          ),
        ),
        about: "What a killed isolate had not told is missing, so that a rest may stay.",
      },
      {
        ...curves(
          "Batches that ended or were refused, in an hour",
          "short",
          ask(`sum by (result) (${increase("batches_total", "1h")})`, "{{result}}"),
          ask(`sum by (result) (${increase("batches_refused_total", "1h")})`, "refused: {{result}}"),
        ),
        about: "Refused by whose maximum: of the user's batches, of the tenant's, of the requests in those.",
      },
      curves("Messages to the archive", "cps", rateBy(["result"], "archive_messages_total")),
    ],
  },
  {
    title: "The metrics themselves",
    panels: [
      {
        ...curves("Shards that do not answer", "short", ask("edgewise_metrics_shards_missing", "shards")),
        about: "While there is one, all sums are left out.",
      },
      curves(
        "Batches in doubt, series refused, in an hour",
        "short",
        ask(`sum(${increase("metrics_batches_in_doubt_total", "1h")})`, "in doubt"),
        ask(`sum(${increase("metrics_series_refused_total", "1h")})`, "refused"),
      ),
    ],
  },
];
