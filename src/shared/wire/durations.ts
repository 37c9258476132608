/** Writes a duration for people and for `x-ratelimit-reset-*`, in OpenAI's form: `250ms`, `1s`, `6m0s`, `1h0m0s`. */
export function formatDuration(milliseconds: number): string {
  const wholeMs = Math.max(0, Math.ceil(milliseconds));
  if (wholeMs < 1000) return `${wholeMs}ms`;
  const seconds = Math.ceil(wholeMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`;
}
