/** A batch as clients see it, in OpenAI's form. */
import type { BatchView } from "../../src/shared/contracts/batch.ts";

export function publicBatchOf(batch: BatchView): Record<string, unknown> {
  const { times, tally, errors } = batch;
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    ...(batch.model === null ? {} : { model: batch.model }),
    errors: errors.length === 0 ? null : { object: "list", data: errors },
    input_file_id: batch.inputFileId,
    completion_window: "24h",
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: seconds(batch.createdMs),
    in_progress_at: secondsOrNull(times.in_progress),
    expires_at: seconds(batch.expiresMs),
    finalizing_at: secondsOrNull(times.finalizing),
    completed_at: secondsOrNull(times.completed),
    failed_at: secondsOrNull(times.failed),
    expired_at: secondsOrNull(times.expired),
    cancelling_at: secondsOrNull(times.cancelling),
    cancelled_at: secondsOrNull(times.cancelled),
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

function secondsOrNull(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : seconds(milliseconds);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
