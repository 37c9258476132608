/** What does an ended request add to the metrics? Only this file decides that. A few look-ups, since every request pays for them. */
import type { RequestRecord, Stage } from "../request-record.ts";
import { errorLabels } from "./error-class.ts";
import { groundingResult } from "./grounding-labels.ts";
import type { MetricSums } from "./metric-sums.ts";
import { noModel } from "./metric-series.ts";

export function countRecord(sums: MetricSums, record: RequestRecord): void {
  const { endpoint, stages } = record;
  const model = record.model ?? noModel;
  sums.count("requests", `${endpoint}\n${model}\n${record.status}`);
  sums.observe("requestDuration", endpoint, record.durationMs);
  if (record.promptTokens > 0) sums.count("promptTokens", model, record.promptTokens);
  if (record.completionTokens > 0) sums.count("generatedTokens", model, record.completionTokens);
  if (record.firstTokenMs !== undefined) sums.observe("timeToFirstToken", model, record.firstTokenMs);
  if (record.arm !== undefined) countArm(sums, record, model);
  for (const stage in stages) sums.observe("stageDuration", stage, stages[stage as Stage] ?? 0);
  if (record.attempts !== undefined && record.attempts > 1) countExtraAttempts(sums, record, model);
  if (record.continued !== undefined) sums.count("continuations", `${model}\ncontinued`, record.continued);
  if (record.notContinued !== undefined) sums.count("continuations", `${model}\nrefused`);
  if (record.screened !== undefined) countFindings(sums, "prompt", record.screened);
  if (record.guarded !== undefined) countFindings(sums, "answer", record.guarded);
  if (record.grounded !== undefined) sums.count("grounding", groundingResult(record.grounded));
  if (record.cache !== undefined) sums.count("cache", record.cache);
  if (record.ending !== "answered" || record.errorKind !== undefined) {
    const labels = errorLabels(record);
    if (labels !== null) sums.count("errors", labels);
  }
}

/** An engine that continued an answer counts as a first attempt, too. Failed replicas are in `tried`; any further attempt was a hedge. */
function countExtraAttempts(
  sums: MetricSums,
  { attempts = 1, continued = 0, tried }: RequestRecord,
  model: string,
): void {
  const extra = attempts - 1 - continued;
  const retries = Math.min(extra, tried === undefined ? 0 : tried.split("; ").length);
  if (retries > 0) sums.count("extraAttempts", `${model}\nretry`, retries);
  if (extra > retries) sums.count("extraAttempts", `${model}\nhedge`, extra - retries);
}

/** @param findings in the log's form: `email:2 hate:1`, only names from the code */
function countFindings(sums: MetricSums, scope: "prompt" | "answer", findings: string): void {
  for (const finding of findings.split(" ")) {
    const at = finding.lastIndexOf(":");
    sums.count("safetyFindings", `${scope}\n${finding.slice(0, at)}`, Number(finding.slice(at + 1)));
  }
}

/** Counts the outcome of an arm with the same numbers as the request's own, so that both sums are equal. */
function countArm(sums: MetricSums, record: RequestRecord, model: string): void {
  const side = `${record.alias ?? ""}\n${record.arm ?? ""}`;
  sums.count("routeRequests", `${side}\n${model}\n${record.ending}`);
  if (record.promptTokens > 0) sums.count("routePromptTokens", `${side}\n${model}`, record.promptTokens);
  if (record.completionTokens > 0)
    sums.count("routeGeneratedTokens", `${side}\n${model}`, record.completionTokens);
  if (record.firstTokenMs !== undefined) sums.observe("routeFirstToken", side, record.firstTokenMs);
}
