/**
 * Divides the Workers' test files into parts of equal duration, so that no part is waited for. The durations of long files are known, and each
 * file goes to the shortest part so far. Every file is in exactly one part, known or not.
 */

/** Seconds that a file's tests took on an idle machine with two cores, for files of six seconds or more. Others count as short. */
export const knownSeconds: Readonly<Record<string, number>> = {
  "test/workers/guarded-channels.test.ts": 75,
  "test/workers/semantic-cache.test.ts": 55,
  "test/workers/guard-model-counts.test.ts": 44,
  "durable-objects/regional-stock/regional-stock.test.ts": 33,
  "durable-objects/token-bucket/quota-edge.test.ts": 31,
  "test/workers/guard-model.test.ts": 29,
  "test/workers/resume-grid.test.ts": 28,
  "test/workers/batches-api.test.ts": 21,
  "test/workers/only-if-cached.test.ts": 21,
  "test/workers/attached-files.test.ts": 19,
  "test/workers/guarded-turns.test.ts": 19,
  "test/workers/input-tokens.test.ts": 19,
  "test/workers/metrics.test.ts": 19,
  "test/workers/model-routes.test.ts": 19,
  "test/workers/grounded-turns.test.ts": 18,
  "test/workers/injection-screen.test.ts": 18,
  "test/workers/regional-admission.test.ts": 18,
  "test/workers/shared-turns.test.ts": 17,
  "durable-objects/batch/batch.test.ts": 16,
  "test/workers/killed-turns.test.ts": 16,
  "test/workers/claimed-turns.test.ts": 15,
  "test/workers/moderation.test.ts": 15,
  "durable-objects/batch/line-charges.test.ts": 14,
  "test/workers/closed-sockets.test.ts": 13,
  "test/workers/answer-links.test.ts": 12,
  "test/workers/continued-turns.test.ts": 12,
  "test/workers/conversation-list.test.ts": 12,
  "test/workers/killed-guarded-turns.test.ts": 12,
  "test/workers/conversation-watch.test.ts": 11,
  "test/workers/conversation-items.test.ts": 10,
  "test/workers/killed-responses.test.ts": 10,
  "durable-objects/token-bucket/book-keeper.test.ts": 9,
  "test/workers/absurd-usage.test.ts": 9,
  "test/workers/conversations-api.test.ts": 9,
  "test/workers/killed-batches.test.ts": 9,
  "durable-objects/generation/resume.test.ts": 8,
  "test/workers/archive.test.ts": 8,
  "test/workers/guard-model-parts.test.ts": 8,
  "test/workers/killed-tools.test.ts": 8,
  "test/workers/receipts.test.ts": 8,
  "test/workers/response-files.test.ts": 8,
  "test/workers/answers-at-home.test.ts": 7,
  "test/workers/erased-turns.test.ts": 7,
  "test/workers/history-erasure.test.ts": 7,
  "test/workers/moderations-api.test.ts": 7,
  "test/workers/response-socket.test.ts": 7,
  "test/workers/turn-interleavings.test.ts": 7,
  "durable-objects/token-bucket/desk-in-workerd.test.ts": 6,
  "test/workers/asked-again.test.ts": 6,
  "test/workers/direct-batches.test.ts": 6,
  "test/workers/grounded-responses.test.ts": 6,
  "test/workers/knowledge-models.test.ts": 6,
  "test/workers/ledger.test.ts": 6,
  "test/workers/refused-conversation-turns.test.ts": 6,
  "test/workers/waiting-turns.test.ts": 6,
  "workers/document-reader/document-reader.test.ts": 6,
};
const shortSeconds = 2;
/** Each file has a separate process, which reads the whole Worker. */
const startSeconds = 4;

export function secondsOf(file: string): number {
  return startSeconds + (knownSeconds[file] ?? shortSeconds);
}

/**
 * @param files paths from the root, in any order
 * @param part from 1 to `parts`
 */
export function filesOfPart(files: readonly string[], part: number, parts: number): string[] {
  const shares = Array.from({ length: parts }, () => ({ seconds: 0, files: [] as string[] }));
  const longestFirst = files.toSorted(
    (one, other) => secondsOf(other) - secondsOf(one) || (one < other ? -1 : 1),
  );
  for (const file of longestFirst) {
    const least = shares.reduce((least, share) => (share.seconds < least.seconds ? share : least));
    least.seconds += secondsOf(file);
    least.files.push(file);
  }
  return shares[part - 1]?.files ?? [];
}
