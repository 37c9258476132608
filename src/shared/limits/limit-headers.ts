import { formatDuration } from "../wire/durations.ts";
import type { LimitStanding } from "./ports.ts";

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI writes them, of the limit nearest to refusal among
 * all windows of the user's and the org's; `x-ratelimit-window-…` (ours) says which that is. A unit without a limit
 * (`Infinity`) has no headers. A new record each time: whoever asks may add to it.
 */
export function rateLimitHeaders({ requests, tokens }: LimitStanding): Record<string, string> {
  const headers: Record<string, string> = {};
  if (requests.limit !== Infinity) {
    headers["x-ratelimit-limit-requests"] = String(requests.limit);
    headers["x-ratelimit-remaining-requests"] = String(requests.remaining);
    headers["x-ratelimit-reset-requests"] = formatDuration(requests.resetMs);
    headers["x-ratelimit-window-requests"] = requests.name;
  }
  if (tokens.limit !== Infinity) {
    headers["x-ratelimit-limit-tokens"] = String(tokens.limit);
    headers["x-ratelimit-remaining-tokens"] = String(tokens.remaining);
    headers["x-ratelimit-reset-tokens"] = formatDuration(tokens.resetMs);
    headers["x-ratelimit-window-tokens"] = tokens.name;
  }
  return headers;
}
