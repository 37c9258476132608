/** A batch as clients see it, in OpenAI's form: members that are unknown, or never happened, are absent. */
import type { BatchTimes, BatchView } from "../../src/shared/contracts/batch.ts";

export function publicBatchOf(batch: BatchView): Record<string, unknown> {
  const { tally, errors, model, outputFileId, errorFileId } = batch;
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    ...(model === null ? {} : { model }),
    ...(errors.length === 0 ? {} : { errors: { object: "list", data: errors } }),
    input_file_id: batch.inputFileId,
    completion_window: "24h",
    status: batch.status,
    ...(outputFileId === null ? {} : { output_file_id: outputFileId }),
    ...(errorFileId === null ? {} : { error_file_id: errorFileId }),
    created_at: seconds(batch.createdMs),
    expires_at: seconds(batch.expiresMs),
    ...timesOf(batch.times),
    request_counts: { total: batch.total, completed: tally.completed, failed: tally.failed },
    usage: {
      input_tokens: tally.inputTokens,
      input_tokens_details: { cached_tokens: tally.cachedTokens },
      output_tokens: tally.outputTokens,
      output_tokens_details: { reasoning_tokens: tally.reasoningTokens },
      total_tokens: tally.inputTokens + tally.outputTokens,
    },
    metadata: batch.metadata,
  };
}

/** `completed_at`, and so on. */
function timesOf(times: BatchTimes): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([status, ms]) => [`${status}_at`, seconds(ms)]));
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
